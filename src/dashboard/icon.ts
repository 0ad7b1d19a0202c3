/** The load line: the mark of the page and of the reference. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#4d8fd6" stroke-width="4">
<circle cx="16" cy="16" r="10"/><path d="M1 16h30"/>
</svg>
`;
