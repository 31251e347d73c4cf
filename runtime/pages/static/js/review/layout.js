// Where pages lie on the desk: one page, two beside each other, or all below one another. Every page is 1 wide.
const GAP = 0.03;
const REACH = 3; // pages before and after the one at work that a continuous view holds

export const VIEWS = ["one", "two", "continuous"];

const heightOf = ({ width, height }) => (width ? height / width : Math.SQRT2);

// Returns [{ number, x, y, height }], `number` being the page at work.
export function lay(view, pages, number) {
  if (view === "two") {
    const first = number - (number % 2);
    return [first, first + 1]
      .filter((each) => each < pages.length)
      .map((each, place) => ({ number: each, x: place * (1 + GAP), y: 0, height: heightOf(pages[each]) }));
  }
  if (view === "one") return [{ number, x: 0, y: 0, height: heightOf(pages[number]) }];
  const laid = [];
  let y = 0;
  for (let each = Math.max(0, number - REACH); each <= Math.min(pages.length - 1, number + REACH); each += 1) {
    const height = heightOf(pages[each]);
    laid.push({ number: each, x: 0, y, height });
    y += height + GAP;
  }
  return laid;
}

export function around(laid) {
  const right = Math.max(...laid.map(({ x }) => x + 1));
  const bottom = Math.max(...laid.map(({ y, height }) => y + height));
  return { x: laid[0].x, y: laid[0].y, width: right - laid[0].x, height: bottom - laid[0].y };
}
