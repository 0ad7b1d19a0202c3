/** The desk's property with 1,000 sequences: `PLIMSOLL_LONG` tells the file how many. */
import '../book/deskProperty.test.ts';
