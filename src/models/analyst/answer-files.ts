import type { Said } from './answer-analysis.ts';
import { rejectedText } from './answer-rows.ts';
import { labelOf, shortLabel } from './cards.ts';
import type { Facts } from './facts.ts';
import { formatNumber, listed, percent, plainText, plural, withUnit } from './format.ts';
import type { ColumnsPlan, ConvertPlan, MediaPlan, ProfilePlan, RowsPlan, TextPlan } from './plan.ts';

/** Headlines for everything that is no measure by a dimension. */

export function sayColumns(plan: ColumnsPlan, facts: Facts): Said {
  const [one, other] = plan.columns;
  const name = (at: 0 | 1): string => plainText(shortLabel(labelOf(plan.columns[at] ?? { name: '', unit: null })));
  if (plan.form === 'correlation') {
    const pairs = facts
      .rows('pairs')
      .map(([a, b, r]) => `${plainText(String(a))} and ${plainText(String(b))}: ${formatNumber(Number(r))}`);
    if (pairs.length === 0)
      return {
        headline: 'There are not two columns of numbers whose values vary, so there is nothing to correlate.',
        bullets: [],
      };
    return {
      headline: `The strongest correlation is between **${pairs[0]?.replace(/: (\S+)$/, '**: **$1**') ?? ''}.`,
      bullets: pairs.slice(1, 4).map((pair) => `${pair}.`),
    };
  }
  if (plan.form === 'scatter' && one !== undefined && other !== undefined) {
    const r = facts.number('r');
    if (r === null)
      return { headline: `${name(0)} and ${name(1)} do not both vary, so they have no correlation.`, bullets: [] };
    const strength =
      Math.abs(r) >= 0.7 ? 'strong' : Math.abs(r) >= 0.4 ? 'moderate' : Math.abs(r) >= 0.15 ? 'weak' : 'almost no';
    const rank = facts.number('rank_r');
    const direction = Math.abs(r) < 0.15 ? '' : r > 0 ? ' positive' : ' negative';
    return {
      headline: `${name(0)} and ${name(1)} have ${strength === 'almost no' ? '' : 'a '}${strength}${direction} correlation: **r = ${formatNumber(r)}** (Pearson).`,
      bullets:
        rank === null ? [] : [`By rank (Spearman): ${formatNumber(rank)}. The dashed line is the straight-line fit.`],
    };
  }
  const stats = facts.object('stats');
  const figure = (key: string): string => withUnit(stats?.number(key) ?? 0, one?.unit ?? null);
  const bullets = [
    `Half of the values lie between ${figure('q1')} and ${figure('q3')}; all between ${figure('min')} and ${figure('max')}.`,
  ];
  const bin = facts.rows('mode_bin')[0] === undefined ? facts.texts('mode_bin').map(Number) : [];
  if (bin.length === 3)
    bullets.push(
      `The fullest bar: ${formatNumber(bin[0] ?? 0)} to ${formatNumber(bin[1] ?? 0)} with ${plural(bin[2] ?? 0, 'row')}.`,
    );
  const top = facts.pairs('top');
  const [best, least] = [top[0], facts.pairs('low')[0]];
  if (best !== undefined && least !== undefined)
    bullets.push(
      best[1] === least[1] && best[0] !== least[0]
        ? `The median is the same for all ${facts.number('groups') ?? top.length} groups.`
        : `Highest median: ${plainText(best[0])} (${withUnit(best[1], one?.unit ?? null)}); lowest: ${plainText(least[0])} (${withUnit(least[1], one?.unit ?? null)}).`,
    );
  if ((facts.number('outliers') ?? 0) > 0)
    bullets.push(`${plural(facts.number('outliers') ?? 0, 'value')} beyond the whiskers.`);
  return { headline: `${name(0)}: median **${figure('median')}**, mean **${figure('mean')}**.`, bullets };
}

export function sayRows(plan: RowsPlan, facts: Facts): Said {
  const shown = facts.number('shown') ?? 0;
  const rows = facts.number('rows') ?? 0;
  const edge = facts.texts('edge').map(Number);
  const more = shown < rows ? ` The table shows ${shown}.` : '';
  if (plan.sortBy !== null && edge.length === 2) {
    const by = plainText(shortLabel(labelOf(plan.sortBy)));
    return {
      headline: `The ${plural(shown, 'row')} with the ${plan.order === 'desc' ? 'highest' : 'lowest'} ${by}: from **${withUnit(edge[0] ?? 0, plan.sortBy.unit)}** to **${withUnit(edge[1] ?? 0, plan.sortBy.unit)}**.`,
      bullets: [],
    };
  }
  if (plan.filters.length > 0)
    return { headline: `**${plural(rows, 'row')}** ${rows === 1 ? 'matches' : 'match'}.${more}`, bullets: [] };
  const which = { head: 'first', tail: 'last', matching: 'first', random: 'random (seed 7)' }[plan.part];
  return {
    headline: `The ${which} ${shown} of ${plural(rows, 'row')} in ${plainText(plan.source.table.file)}.`,
    bullets: [],
  };
}

export function sayProfile(plan: ProfilePlan, facts: Facts): Said {
  const parts = facts.members().map(([title, fact]) => sayTable(plan.form, plainText(title), fact));
  const rejected = facts
    .members()
    .filter(([, fact]) => (fact.number('rejected_count') ?? 0) > 0)
    .map(
      ([title, fact]) =>
        `${plainText(title)}: ${rejectedText(fact.objects('rejected'), fact.number('rejected_count') ?? 0)}.`,
    );
  return {
    headline: parts.map(({ headline }) => headline).join('\n'),
    bullets: [...parts.flatMap(({ bullets }) => bullets), ...rejected].slice(0, 14),
  };
}

function sayTable(form: ProfilePlan['form'], title: string, fact: Facts): Said {
  const shape = `${plural(fact.number('rows') ?? 0, 'row')} and ${plural(fact.number('columns') ?? 0, 'column')}`;
  const names = fact.texts('names').map(plainText);
  switch (form) {
    case 'describe': {
      const span = fact
        .rows('dates')
        .map(([name, from, to]) => `${plainText(String(name))} runs from ${String(from)} to ${String(to)}.`);
      const numbers = fact
        .rows('numbers')
        .slice(0, 4)
        .map(
          ([name, min, mean, max]) =>
            `${plainText(String(name))}: ${formatNumber(Number(min))} to ${formatNumber(Number(max))}, on average ${formatNumber(Number(mean))}.`,
        );
      const texts = fact
        .rows('texts')
        .slice(0, 3)
        .map(
          ([name, different, most, count]) =>
            `${plainText(String(name))}: ${plural(Number(different), 'different value')}, most often ${plainText(String(most))} (${formatNumber(Number(count))} times).`,
        );
      const links = fact
        .rows('links')
        .slice(0, 2)
        .map(
          ([a, b, r]) =>
            `${plainText(String(a))} and ${plainText(String(b))} move together (r = ${formatNumber(Number(r))}).`,
        );
      const missing = fact.number('missing') ?? 0;
      const repeated = fact.number('repeated') ?? 0;
      const state = `${missing === 0 ? 'No missing values' : plural(missing, 'missing value')}, ${repeated === 0 ? 'no repeated rows' : plural(repeated, 'repeated row')}.`;
      return {
        headline: `**${title}** has **${shape}**: ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}.`,
        bullets: [...span, ...numbers, ...texts, ...links, state],
      };
    }
    case 'missing': {
      const gaps = fact.pairs('gaps');
      const total = gaps.reduce((sum, [, count]) => sum + count, 0);
      const cells = fact.number('cells') ?? 0;
      if (total === 0) return { headline: `**${title}** has **no missing values** in its ${shape}.`, bullets: [] };
      return {
        headline: `**${title}** has **${plural(total, 'missing value')}** in ${formatNumber(cells)} cells (${percent((100 * total) / Math.max(1, cells))}); ${plural(fact.number('whole') ?? 0, 'row')} of ${formatNumber(fact.number('rows') ?? 0)} are complete.`,
        bullets: gaps.slice(0, 6).map(([name, count]) => `${plainText(name)}: ${plural(count, 'row')}.`),
      };
    }
    case 'duplicates': {
      const repeated = fact.number('repeated') ?? 0;
      const near = fact
        .pairs('by_column')
        .map(
          ([name, count]) =>
            `${plainText(name)} repeats ${plural(count, 'value')} although nearly all of its values differ.`,
        );
      if (repeated === 0) return { headline: `**${title}** has **no repeated rows** in its ${shape}.`, bullets: near };
      return {
        headline: `**${title}** has **${plural(repeated, 'repeated row')}** (${plural(fact.number('involved') ?? 0, 'row')} with their originals) among ${formatNumber(fact.number('rows') ?? 0)}.`,
        bullets: near,
      };
    }
    case 'schema':
      return {
        headline: `**${title}** has **${plural(fact.number('columns') ?? 0, 'column')}** and ${plural(fact.number('rows') ?? 0, 'row')}: ${names.join(', ')}.`,
        bullets: [],
      };
    default:
      return form satisfies never;
  }
}

export function sayConvert(plan: ConvertPlan, facts: Facts): Said {
  const files = facts.texts('files');
  const tables = facts.members();
  const rows = tables.map(
    ([title, fact]) =>
      `${tables.length > 1 ? `${plainText(title)}: ` : ''}${plural(fact.number('written') ?? 0, 'row')} and ${plural(fact.number('columns') ?? 0, 'column')}`,
  );
  const removed = tables.reduce((sum, [, fact]) => sum + (fact.number('removed') ?? 0), 0);
  const rejected = tables.flatMap(([title, fact]) =>
    (fact.number('rejected_count') ?? 0) > 0
      ? [
          `Not in the new file, from ${plainText(title)}: ${rejectedText(fact.objects('rejected'), fact.number('rejected_count') ?? 0)}.`,
        ]
      : [],
  );
  const how = plan.clean
    ? `Cleaned: spaces trimmed, ${plural(removed, 'empty or repeated row')} removed.`
    : plan.format === 'xlsx'
      ? 'Ids are kept as text and dates are real dates.'
      : '';
  return {
    headline: `**${listed(files.map(plainText))}** ${files.length === 1 ? 'is' : 'are'} ready: ${rows.join('; ')}.`,
    bullets: [...(how === '' ? [] : [how]), ...rejected],
  };
}

export function sayMedia(plan: MediaPlan, facts: Facts): Said {
  const pictures = facts.number('pictures') ?? 0;
  const skipped = facts.number('skipped_count') ?? 0;
  const left =
    skipped === 0
      ? []
      : [
          `Left out, because they are no pictures I can read: ${facts.texts('skipped').map(plainText).join(', ')}${skipped > 10 ? `, … ${skipped} in all` : ''}.`,
        ];
  if (pictures === 0) return { headline: 'I found no pictures in there, so there is no video to make.', bullets: left };
  const size = `${facts.number('width') ?? 0} × ${facts.number('height') ?? 0} pixels`;
  const what = facts.flag('animation') ? plural(pictures, 'frame') : plural(pictures, 'picture');
  const length = plural(facts.number('seconds') ?? 0, 'second');
  const rate = plan.kind === 'video' ? `, ${plan.framesPerSecond} frames per second, H.264` : '';
  const bullets = [];
  if (!facts.flag('animation')) {
    bullets.push(
      `Each picture stands ${plural(plan.secondsPerPicture, 'second')}, fitted into one size with black bars where its shape differs.`,
    );
    const order = facts.texts('order').map(plainText);
    bullets.push(
      `${facts.flag('shuffled') ? `Shuffled with seed ${plan.seed}` : 'In the order of their names'}: ${order.join(', ')}${pictures > order.length ? ', …' : ''}.`,
    );
  }
  return {
    headline: `**${plainText(facts.text('file') ?? '')}** is ready: ${what}, **${length}**, ${size}${rate}.`,
    bullets: [...bullets, ...left],
  };
}

export function sayPalette(facts: Facts): Said {
  const colours = facts.pairs('colours');
  const first = colours[0];
  return {
    headline: `The main colour is **${first?.[0] ?? 'none'}** with ${percent(first?.[1] ?? 0)} of the picture.`,
    bullets: colours.slice(1).map(([hex, share]) => `${hex}: ${percent(share)}`),
  };
}

export function sayText(plan: TextPlan, facts: Facts): Said {
  const words = facts.number('words') ?? 0;
  const how = facts.flag('recognised')
    ? ' Its letters were recognised from the picture, so check names and figures.'
    : '';
  if (words === 0) return { headline: `I found no text in ${plainText(plan.file)}.${how}`, bullets: [] };
  const pages = plan.from === 'pdf' ? ` on ${plural(facts.number('pages') ?? 0, 'page')}` : '';
  const start = (facts.text('start') ?? '').replaceAll('```', "'''");
  const whole = (facts.number('characters') ?? 0) > start.length ? ` It begins:` : '';
  return {
    headline: `**${plural(words, 'word')}**${pages}; the whole text is in ${plainText(facts.text('file') ?? '')}.${how}${whole}\n\`\`\`\n${start}\n\`\`\``,
    bullets: [],
  };
}

export function sayListing(facts: Facts): Said {
  const endings = facts.pairs('endings').map(([name, count]) => `${formatNumber(count)} ${plainText(name)}`);
  return {
    headline: `The archive holds **${plural(facts.number('files') ?? 0, 'file')}** (${formatNumber((facts.number('bytes') ?? 0) / 1e6)} MB): ${endings.join(', ')}.`,
    bullets: [],
  };
}

export function sayQr(facts: Facts): Said {
  return {
    headline: `The QR code for **${plainText(facts.text('text') ?? '')}** is in ${facts.text('file') ?? 'qr-code.png'}.`,
    bullets: [],
  };
}
