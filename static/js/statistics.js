// The charts of the statistics page, drawn from its tables: the numbers stand there for everybody.

const Chart = window.Chart;
const charts = [];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function money(rubles) {
  return `${new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 2 }).format(rubles)}\u00a0₽`;
}

function options() {
  const muted = colour("--muted");
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: {
      legend: { display: false },
      tooltip: { displayColors: false, callbacks: { label: ({ parsed }) => money(parsed.y) } },
    },
    scales: {
      x: { grid: { display: false }, border: { color: colour("--line") }, ticks: { color: muted, maxRotation: 0, autoSkipPadding: 12 } },
      y: { beginAtZero: true, grid: { color: colour("--line") }, border: { display: false }, ticks: { color: muted, maxTicksLimit: 5, callback: money } },
    },
  };
}

function draw(canvas) {
  const table = document.querySelector(`[data-of="${canvas.dataset.chart}"]`);
  const rows = [...table.querySelectorAll("tr[data-minor]")];
  const data = rows.map((row) => Number(row.dataset.minor) / 100);
  canvas.closest(".chart").hidden = false;
  const bars = { label: table.dataset.name, data, backgroundColor: colour("--action"), borderRadius: 4, maxBarThickness: 48 };
  charts.push(new Chart(canvas, { type: "bar", data: { labels: rows.map((row) => row.dataset.label), datasets: [bars] }, options: options() }));
}

function drawAll() {
  for (const chart of charts.splice(0)) chart.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) draw(canvas);
}

// Where the week does not fit, its evenings are seen first.
for (const week of document.querySelectorAll(".week-scroll")) week.scrollLeft = week.scrollWidth;

drawAll();
// Colours are those of the theme, which may change at dusk.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
