/** Two orders at once with margin for one, 1,000 trials: `PLIMSOLL_LONG` tells the file how many. */
import '../server/accounts.test.ts';
