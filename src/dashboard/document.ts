/** The page's HTML. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Plimsoll</title>
<link rel="icon" type="image/svg+xml" href="/page/icon.svg">
<link rel="stylesheet" href="/page/style.css">
<script type="module" src="/page/page.js"></script>
</head>
<body>
<header>
<h1><img class="mark" src="/page/icon.svg" alt="">Plimsoll</h1>
<p id="market" role="status">Asking for the market…</p>
<nav aria-label="Reference"><a href="/docs">API</a> <a href="/v1/methodology">Methodology</a></nav>
</header>
<main>
<section aria-labelledby="account-title">
<h2 id="account-title">Account</h2>
<form id="form">
<label for="account">One account as JSON, as <code>POST /v1/margin</code> reads it</label>
<textarea id="account" spellcheck="false" autocomplete="off" rows="24" aria-describedby="problem"></textarea>
<div class="buttons">
<button type="submit">Margin</button>
<button type="button" id="another" class="quiet">Another example</button>
<span id="took" role="status"></span>
</div>
</form>
</section>
<section aria-labelledby="result-title">
<h2 id="result-title">Margin</h2>
<div id="problem" role="alert"></div>
<div id="result" aria-live="polite"><p class="note">No account has been margined yet.</p></div>
</section>
</main>
<noscript>The page needs JavaScript; the <a href="/docs">API</a> does not.</noscript>
</body>
</html>
`;
