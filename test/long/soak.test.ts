/** A million ticks: `PLIMSOLL_LONG` tells the file how many, `PLIMSOLL_SOAK_TICKS` another number. */
import '../book/soak.test.ts';
