/** Names the code that made a figure. A change that alters any bit of a result changes this. */
export const ENGINE = 'plimsoll/0.1.0';
