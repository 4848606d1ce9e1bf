// From numbers to pixels, and the numbers along an axis.

// Round numbers between two ends, at most so many.
function ticks(low, high, most) {
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((s) => s * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) found.push(n * step);
  return found;
}

// Ends of the values with a margin; a single value gets a range of its own.
function ends(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const margin = (high - low) * 0.04 || Math.abs(high) * 0.04 || 1;
  return [low - margin, high + margin];
}

function scale([low, high], from, to) {
  const found = (value) => from + ((value - low) / (high - low)) * (to - from);
  found.ends = [low, high];
  return found;
}

// The outline of a mark by the number of its run: runs differ by shape, not by colour alone.
const SHAPES = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  (x, y, r) => `M${x - r * 0.9} ${y - r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}z`,
  (x, y, r) => `M${x} ${y - r * 1.2}l${r * 1.1} ${r * 2}h${-r * 2.2}z`,
  (x, y, r) => `M${x} ${y - r * 1.3}l${r * 1.3} ${r * 1.3}l${-r * 1.3} ${r * 1.3}l${-r * 1.3} ${-r * 1.3}z`,
  (x, y, r) => `M${x} ${y + r * 1.2}l${r * 1.1} ${-r * 2}h${-r * 2.2}z`,
  (x, y, r) => {
    const [a, b] = [r * 0.45, r * 1.2];
    return `M${x - a} ${y - b}h${2 * a}v${b - a}h${b - a}v${2 * a}h${a - b}v${b - a}h${-2 * a}v${a - b}h${a - b}v${-2 * a}h${b - a}z`;
  },
];

function mark(number, x, y, r) {
  const shape = number + Math.floor(number / SHAPES.length); // the seventh has the first's colour
  return SHAPES[shape % SHAPES.length](+x.toFixed(1), +y.toFixed(1), r);
}
