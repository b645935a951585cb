// problem *: no function
export const x = 1;
