/** The samples of Prometheus' text format by name and labels as they stand there: `plotline_tasks_total{platform="x"}`. */
export async function scrape(base: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${base}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}: ${await response.text()}`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
