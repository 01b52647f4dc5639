import { describe, expect, it } from 'vitest';
import { answerText } from '../../src/models/analyst/answer.ts';
import { collectFiles } from '../../src/models/analyst/cards.ts';
import { Facts } from '../../src/models/analyst/facts.ts';
import type { Filter, Plan, RunPlan } from '../../src/models/analyst/plan.ts';
import { codeFor, titleFor } from '../../src/models/analyst/python.ts';
import { planFor } from '../../src/models/analyst/question.ts';
import type { FileCard } from '../../src/types.ts';
import { gdp, people, photos, picture, report, sales, shop, umsatz, wide } from './analyst-cards.ts';

/** The plan in one line, so that a table of questions stays readable. */
function brief(plan: Plan): string {
  switch (plan.kind) {
    case 'analysis': {
      const measures = plan.measures
        .map(
          (measure) =>
            `${measure.aggregate ?? plan.aggregate} ${measure.kind === 'rows' ? 'rows' : measure.columns.map(({ name }) => name).join('*')}`,
        )
        .join(' + ');
      const by = plan.dimensions
        .map(({ column, grain }) => column.name + (grain === null ? '' : `:${grain}`))
        .join(', ');
      const { style } = plan;
      const look = [
        plan.compute === 'value' ? '' : plan.compute,
        plan.top === null ? '' : `${plan.top.order === 'desc' ? 'top' : 'low'} ${plan.top.count}`,
        style.type ?? '',
        style.sort ?? '',
        style.labels === true ? 'labels' : '',
        style.stacked === true ? 'stacked' : '',
        style.horizontal === true ? 'flat' : '',
        style.logScale === true ? 'log' : '',
        style.colour ?? '',
        plan.show === 'table' ? 'table' : '',
        plan.latest === null ? '' : 'latest',
        plan.source.joins.length > 0 ? 'join' : '',
      ]
        .filter(Boolean)
        .join(' ');
      return [measures, by === '' ? '' : `by ${by}`, plan.filters.map(filterText).join(' & '), look]
        .filter(Boolean)
        .join(' | ');
    }
    case 'columns':
      return `${plan.form} ${plan.columns.map(({ name }) => name).join(', ')}${plan.by === null ? '' : ` by ${plan.by.name}`}`;
    case 'rows':
      return `rows ${plan.part} ${plan.count}${plan.sortBy === null ? '' : ` ${plan.order} ${plan.sortBy.name}`}${plan.filters.length > 0 ? ` ${plan.filters.map(filterText).join(' & ')}` : ''}`;
    case 'profile':
      return plan.form;
    case 'convert':
      return `${plan.clean ? 'clean' : 'convert'} ${plan.format}`;
    case 'video':
    case 'gif':
      return `${plan.kind}${plan.shuffle ? ' shuffled' : ''} ${plan.secondsPerPicture}s ${plan.framesPerSecond}fps`;
    case 'text':
      return `text ${plan.from}`;
    case 'qr':
      return `qr ${plan.text}`;
    case 'palette':
    case 'listing':
    case 'talk':
      return plan.kind;
    default:
      return plan satisfies never;
  }
}

function filterText(filter: Filter): string {
  switch (filter.kind) {
    case 'values':
      return `${filter.exclude ? 'not ' : ''}${filter.columns.length > 1 ? '?' : (filter.columns[0]?.name ?? '')}=${filter.values.join('/')}`;
    case 'compare':
      return `${filter.column.name}${filter.operator}${filter.value}`;
    case 'range':
      return `${filter.column.name} ${filter.from}..${filter.to}`;
    case 'dates':
      return `${filter.column.name} ${filter.from ?? ''}..${filter.before ?? ''}`;
    case 'month':
      return `${filter.column.name} month ${filter.month}`;
    default:
      return filter satisfies never;
  }
}

function ask(card: FileCard, question: string, previous: RunPlan | null = null): Plan {
  return planFor(question, collectFiles([[card]]), previous, previous === null);
}

const cases: readonly (readonly [FileCard, string, string])[] = [
  [sales, 'Revenue by month as a line chart', 'sum Revenue (EUR) | by Date:month | line'],
  [sales, 'revenue per quarter', 'sum Revenue (EUR) | by Date:quarter'],
  [sales, 'monthly sales', 'sum Revenue (EUR) | by Date:month'],
  [sales, 'turnover by region, sorted alphabetically', 'sum Revenue (EUR) | by Region | name-asc'],
  [sales, 'Pie chart of revenue by channel', 'sum Revenue (EUR) | by Channel | pie'],
  [sales, 'bar chart of units by product', 'sum Units | by Product | bar'],
  [sales, 'average unit price by product', 'mean Unit Price | by Product'],
  [sales, 'median revenue per region', 'median Revenue (EUR) | by Region'],
  [sales, 'total revenue', 'sum Revenue (EUR)'],
  [sales, 'What is the average price?', 'mean Unit Price'],
  [sales, 'total revenue and average units', 'sum Revenue (EUR) + mean Units'],
  [sales, 'total revenue and average unit price by channel', 'sum Revenue (EUR) + mean Unit Price | by Channel'],
  [sales, 'revenue by region and product', 'sum Revenue (EUR) | by Region, Product'],
  [sales, 'pivot of revenue by region and channel', 'sum Revenue (EUR) | by Region, Channel | table'],
  [sales, 'heat map of revenue by region and product', 'sum Revenue (EUR) | by Region, Product | heatmap'],
  [
    sales,
    'stacked bar chart of revenue by month and channel',
    'sum Revenue (EUR) | by Date:month, Channel | bar stacked',
  ],
  [sales, 'revenue of Online by month', 'sum Revenue (EUR) | by Date:month | Channel=Online'],
  [
    sales,
    'revenue for Online and Retail by month',
    'sum Revenue (EUR) | by Date:month, Channel | Channel=Online/Retail',
  ],
  [sales, 'revenue by region without North', 'sum Revenue (EUR) | by Region | not Region=North'],
  [sales, 'revenue in 2023 by region', 'sum Revenue (EUR) | by Region | Date 2023-01-01..2024-01-01'],
  [
    sales,
    'revenue between 2023 and 2024 by quarter',
    'sum Revenue (EUR) | by Date:quarter | Date 2023-01-01..2025-01-01',
  ],
  [sales, 'revenue in Q1 2024', 'sum Revenue (EUR) | Date 2024-01-01..2024-04-01'],
  [sales, 'revenue since March 2024 by week', 'sum Revenue (EUR) | by Date:week | Date 2024-03-01..'],
  [sales, 'revenue in May', 'sum Revenue (EUR) | Date month 5'],
  [sales, 'total revenue where units > 10', 'sum Revenue (EUR) | Units>10'],
  [sales, 'revenue by product with more than 10 units', 'sum Revenue (EUR) | by Product | Units>10'],
  [sales, 'show rows where units between 5 and 8', 'rows matching 100 Units 5..8'],
  [sales, 'top 3 products by revenue', 'sum Revenue (EUR) | by Product | top 3'],
  [sales, 'bottom two regions by units', 'sum Units | by Region | low 2'],
  [sales, 'Which region has the highest revenue?', 'sum Revenue (EUR) | by Region | top 10'],
  [sales, 'Which product sold the fewest units?', 'sum Units | by Product | low 10'],
  [sales, 'highest revenue', 'max Revenue (EUR)'],
  [sales, 'how many rows per channel', 'count rows | by Channel'],
  [sales, 'how many different products', 'distinct Product'],
  [sales, 'share of Online in revenue', 'sum Revenue (EUR) | by Channel | share'],
  [sales, 'percentage of revenue by region', 'sum Revenue (EUR) | by Region | share'],
  [sales, 'monthly growth of revenue', 'sum Revenue (EUR) | by Date:month | change'],
  [sales, 'year over year growth of units', 'sum Units | by Date:year | change'],
  [sales, 'revenue by weekday', 'sum Revenue (EUR) | by Date:weekday'],
  [sales, 'how did revenue develop?', 'sum Revenue (EUR) | by Date:month'],
  [sales, 'revenue trend', 'sum Revenue (EUR) | by Date:month'],
  [sales, 'revnue by region', 'sum Revenue (EUR) | by Region'],
  [sales, 'histogram of revenue', 'histogram Revenue (EUR)'],
  [sales, 'distribution of units', 'histogram Units'],
  [sales, 'box plot of revenue by region', 'box Revenue (EUR) by Region'],
  [sales, 'scatter plot of units and revenue', 'scatter Units, Revenue (EUR)'],
  [sales, 'revenue vs units', 'scatter Units, Revenue (EUR)'],
  [sales, 'correlation between units and revenue', 'scatter Units, Revenue (EUR)'],
  [sales, 'correlation matrix', 'correlation Units, Unit Price, Revenue (EUR)'],
  [sales, 'describe this file', 'describe'],
  [sales, 'Summarize', 'describe'],
  [sales, 'what is in this file?', 'describe'],
  [sales, 'any missing values?', 'missing'],
  [sales, 'are there duplicates', 'duplicates'],
  [sales, 'which columns are there?', 'schema'],
  [sales, 'first 5 rows', 'rows head 5'],
  [sales, 'show me the data', 'rows head 10'],
  [sales, 'convert to csv', 'convert csv'],
  [sales, 'export it as json please', 'convert json'],
  [sales, 'clean it and give me the file', 'clean xlsx'],
  [sales, 'revenue in Atlantis', 'sum Revenue (EUR) | ?=Atlantis'],
  [sales, 'profit by region', 'talk'],
  [sales, 'hello', 'talk'],
  [sales, 'what can you do?', 'talk'],
  [sales, 'make a QR code for https://example.org/x?y=1', 'qr https://example.org/x?y=1'],
  [
    sales,
    'horizontal bar chart of revenue by region in red with labels, log scale',
    'sum Revenue (EUR) | by Region | bar labels flat log red',
  ],
  [gdp, 'Line chart of GDP over the years for the top 5 countries', 'sum GDP (US$) | by Year, Country | top 5 line'],
  [gdp, 'Which countries grew most?', 'sum GDP (US$) | by Country, Year | growth top 10'],
  [gdp, 'top 5 countries by GDP', 'sum GDP (US$) | by Country | top 5 latest'],
  [gdp, 'gdp of germany and france over time', 'sum GDP (US$) | by Year, Country | Country=Germany/France'],
  [gdp, 'GDP of India in 2018', 'sum GDP (US$) | Country=India & Year==2018'],
  [gdp, 'average GDP by year', 'mean GDP (US$) | by Year'],
  [gdp, 'GDP by country between 2019 and 2021', 'sum GDP (US$) | by Country | Year 2019..2021'],
  [gdp, 'how many countries', 'distinct Country'],
  [gdp, 'convert it to Excel', 'convert xlsx'],
  [shop, 'Revenue by country', 'sum quantity*unit_price | by country | join'],
  [shop, 'total sales in Germany', 'sum quantity*unit_price | country=Germany | join'],
  [shop, 'how many orders per month', 'count rows | by order_date:month'],
  [shop, 'number of orders by segment', 'count rows | by segment | join'],
  [shop, 'average quantity by product', 'mean quantity | by product'],
  [shop, 'list customers in Germany', 'rows matching 100 country=Germany'],
  [shop, 'top 5 customers by quantity', 'sum quantity | by customer_id | top 5'],
  [shop, 'top 10 orders by quantity', 'rows matching 10 desc quantity'],
  [umsatz, 'revenue by year', 'sum Umsatz [EUR] | by Datum:year'],
  [umsatz, 'Umsatz by Filiale', 'sum Umsatz [EUR] | by Filiale'],
  [umsatz, 'umsatz in koln by month', 'sum Umsatz [EUR] | by Datum:month | Filiale=Köln'],
  [umsatz, 'total stuckzahl', 'sum Stückzahl'],
  [umsatz, 'quantity by filiale as a pie', 'sum Stückzahl | by Filiale | pie'],
  [people, 'average salary by department', 'mean annualSalary | by departmentName'],
  [people, 'salary by department', 'mean annualSalary | by departmentName'],
  [people, 'how many employees per department', 'count rows | by departmentName'],
  [people, 'histogram of ages', 'histogram age'],
  [people, 'scatter salary vs years of service', 'scatter yearsOfService, annualSalary'],
  [
    people,
    'average salary of employees in Human Resources with age over 40',
    'mean annualSalary | age>40 & departmentName=Human Resources',
  ],
  [people, 'median age in Finance', 'median age | departmentName=Finance'],
  [people, 'top 10 employees by salary', 'rows matching 10 desc annualSalary'],
  [wide, 'co2 by year', 'sum CO2 emissions | by Year'],
  [wide, 'line chart of emissions over time by country', 'sum CO2 emissions | by Year, Country | line'],
  [photos, 'shuffle them and make a video', 'video shuffled 1s 24fps'],
  [photos, 'make a GIF, 0.5 seconds each', 'gif 0.5s 24fps'],
  [photos, 'what is in there?', 'listing'],
  [picture, 'colour palette of this image', 'palette'],
  [picture, 'read the text', 'text image'],
  [report, 'extract the text', 'text pdf'],
];

describe('what a question means', () => {
  it.each(cases)('%#', (card, question, expected) => {
    expect(`${question} → ${brief(ask(card, question))}`).toBe(`${question} → ${expected}`);
  });
});

const followUps: readonly (readonly [FileCard, string, string, string])[] = [
  [
    sales,
    'Revenue by month as a line chart',
    'Make it bars, sorted, with labels',
    'sum Revenue (EUR) | by Date:month | bar value-desc labels',
  ],
  [sales, 'Revenue by month as a line chart', 'and by region?', 'sum Revenue (EUR) | by Region'],
  [
    sales,
    'Revenue by month as a line chart',
    'only 2024',
    'sum Revenue (EUR) | by Date:month | Date 2024-01-01..2025-01-01 | line',
  ],
  [sales, 'Revenue by month as a line chart', 'same for units', 'sum Units | by Date:month | line'],
  [sales, 'Revenue by region', 'what about units?', 'sum Units | by Region'],
  [sales, 'Revenue by region', 'now as a table', 'sum Revenue (EUR) | by Region | table'],
  [sales, 'Revenue by region', 'as percentage', 'sum Revenue (EUR) | by Region | share'],
  [
    sales,
    'Revenue by region',
    'horizontal, in #ff0000, sorted ascending',
    'sum Revenue (EUR) | by Region | value-asc flat #ff0000',
  ],
  [sales, 'Revenue by product', 'top 3 only', 'sum Revenue (EUR) | by Product | top 3'],
  [sales, 'Revenue by region and channel', 'stacked', 'sum Revenue (EUR) | by Region, Channel | stacked'],
  [sales, 'Revenue by month', 'log scale', 'sum Revenue (EUR) | by Date:month | log'],
  [sales, 'Revenue by month', 'for Online', 'sum Revenue (EUR) | by Date:month | Channel=Online'],
  [sales, 'Revenue by month', 'split by channel', 'sum Revenue (EUR) | by Date:month, Channel'],
  [sales, 'Revenue by month', 'average units by product', 'mean Units | by Product'],
  [shop, 'Revenue by country', 'and by segment?', 'sum quantity*unit_price | by segment | join'],
  [gdp, 'GDP of Germany over time', 'and for Japan', 'sum GDP (US$) | by Year | Country=Japan'],
  [gdp, 'top 5 countries by GDP', 'Which countries grew most?', 'sum GDP (US$) | by Country, Year | growth top 10'],
];

describe('what a follow-up changes', () => {
  it.each(followUps)('%#', (card, first, second, expected) => {
    const previous = ask(card, first);
    if (previous.kind === 'talk') throw new Error(previous.text);
    expect(`${second} → ${brief(ask(card, second, previous))}`).toBe(`${second} → ${expected}`);
  });

  it('a new title changes the title alone', () => {
    const before = ask(sales, 'Revenue by month as a line chart');
    if (before.kind !== 'analysis') throw new Error(before.kind);
    const after = ask(sales, 'title "Our year"', before);
    expect(after).toEqual({ ...before, style: { ...before.style, title: 'Our year' } });
  });
});

describe('what it says without running anything', () => {
  it('asks for a file where there is none', () => {
    const plan = planFor('revenue by month', collectFiles([]), null, false);
    expect(plan.kind === 'talk' && plan.text).toMatch(/no file in this thread/i);
  });

  it('names the word it did not find and three things that work, each of which it understands', () => {
    const plan = ask(sales, 'profit by region');
    if (plan.kind !== 'talk') throw new Error(plan.kind);
    expect(plan.text).toContain('“profit”');
    const hints = [...plan.text.matchAll(/^- (.+)$/gm)].map((match) => match[1] ?? '');
    expect(hints).toHaveLength(3);
    for (const hint of hints) expect(`${hint} → ${ask(sales, hint).kind}`).not.toBe(`${hint} → talk`);
  });

  it('says its assumption when a word is not the whole name', () => {
    const plan = ask(sales, 'average price by product');
    expect('assumptions' in plan && plan.assumptions).toEqual(['I read “price” as the column Unit Price.']);
  });
});

describe('words that the file knows nothing of', () => {
  it.each([
    'show revenue by planet',
    'revenue of each planet',
    'box plot of revenue by planet',
    'revenue by planet and moon',
  ])('%s is not answered as if the word were not there', (question) => {
    const plan = ask(sales, question);
    if (plan.kind !== 'talk') throw new Error(brief(plan));
    expect(plan.text).toContain('“planet”');
    expect(plan.text.match(/^- /gm)).toHaveLength(3);
  });

  it.each([
    ['heat map of revenue by region and planet', 'I found no column for “planet” and left it out.'],
    ['revenue by planet and region', 'I found no column for “planet” and left it out.'],
    ['revenue by region and family', 'I found no column for “family” and left it out.'],
    ['revenue by planet over time', 'I found no column for “planet” and left it out.'],
    ['revenue for North and Atlantis', 'I found no value for “Atlantis” and left it out.'],
    ['revenue and profit by region', 'I found no column for “profit” and left it out.'],
    ['top 5 planets by revenue', 'I found no column for “planets”, so I ranked the rows.'],
    ['which planet has the highest revenue?', 'I found no column for “planet”, so I ranked the rows.'],
    ['how many planets by region', 'I found no column for “planets”, so I counted rows.'],
  ])('%s: says what it left out', (question, line) => {
    const plan = ask(sales, question);
    expect('assumptions' in plan && plan.assumptions).toContain(line);
  });

  it.each([
    'please draw me a nice chart of the revenue by region and send it',
    'could you kindly plot revenue over time as a line chart, thanks',
    'revenue by region, and make it pretty please',
    'Which product sold the fewest units?',
    'I would love to know the revenue per quarter and channel',
    'top 3 products by revenue',
    'revenue by region and explain',
    'show revenue by region, nicely',
    'revenue broken down by the different regions',
    'sort revenue by size by region',
    'pie of revenue by region sorted',
  ])('%s: no false alarm', (question) => {
    const plan = ask(sales, question);
    expect(
      'assumptions' in plan && plan.assumptions.filter((line) => /^(?:I found no|Not applied)/.test(line)),
    ).toEqual([]);
  });
});

describe('wishes about the look', () => {
  const restyled = (first: string, wish: string): Extract<Plan, { readonly kind: 'analysis' }> => {
    const previous = ask(sales, first);
    if (previous.kind !== 'analysis') throw new Error(previous.kind);
    const plan = ask(sales, wish, previous);
    if (plan.kind !== 'analysis') throw new Error(plan.kind);
    return plan;
  };

  it('says in one sentence each what a pie chart cannot show, and only for the question that asked', () => {
    const plan = restyled('Pie chart of revenue by region', 'make it red and horizontal');
    expect(plan.assumptions).toEqual([
      'Not applied: the one colour red, which a pie chart cannot show.',
      'Not applied: horizontal, which a pie chart cannot show.',
    ]);
    const next = ask(sales, 'title "Regions"', plan);
    expect('assumptions' in next && next.assumptions).toEqual([]);
  });

  it('says that a heat map needs two columns', () => {
    const plan = restyled('Revenue by region', 'as a heat map');
    expect(plan.assumptions).toEqual(['Not applied: a heat map; it needs two columns to group by.']);
  });

  it.each([
    ['Revenue by region', 'make it red and horizontal'],
    ['Revenue by month as a line chart', 'Make it bars, sorted, with labels'],
    ['Revenue by region and channel', 'stacked'],
    ['Revenue by month', 'log scale'],
  ])('%s, then %s: nothing to say', (first, wish) => {
    expect(restyled(first, wish).assumptions).toEqual([]);
  });

  it.each([
    ['revenue by region with title Prices and log scale', 'Prices', 'log'],
    ['revenue by region, title Our prices with labels', 'Our prices', 'labels'],
    ['revenue by region with title Prices, horizontal', 'Prices', 'flat'],
    ['revenue by region with the title Prices and make it red', 'Prices', 'red'],
    ['revenue by region titled North and South', 'North and South', ''],
    ['revenue by region with title Growth in percent', 'Growth in percent', ''],
  ])('%s: the title ends where the next wish begins', (question, title, look) => {
    const plan = ask(sales, question);
    expect(plan.kind === 'analysis' && plan.style.title).toBe(title);
    expect(brief(plan)).toBe(`sum Revenue (EUR) | by Region${look === '' ? '' : ` | ${look}`}`);
  });
});

describe('what it says about what was computed', () => {
  const said = (question: string, facts: Readonly<Record<string, unknown>>): string => {
    const plan = ask(sales, question);
    if (plan.kind === 'talk') throw new Error(plan.text);
    return answerText(plan, new Facts({ read: 600, used: 600, ...facts }));
  };

  it('says that all groups are equal', () => {
    const pairs = [
      ['North', 5],
      ['South', 5],
    ];
    const text = said('units by region', { groups: 2, tied_top: 2, tied_low: 2, top: pairs, low: pairs });
    expect(text).toContain('is the same for both regions: **5** (North and South).');
    expect(text).not.toContain('highest');
    const cells = { best: ['North', 'Online', 5], least: ['South', 'Retail', 5], ranked: [] };
    expect(said('units by region and channel', cells)).toContain('is the same everywhere: **5**.');
    const boxes = { stats: {}, groups: 2, top: pairs, low: [['South', 5]] };
    expect(said('box plot of units by region', boxes)).toContain('The median is the same for all 2 groups.');
  });

  it('names all that share the highest value, and how many more there are', () => {
    const top = [
      ['Online', 42],
      ['Partner', 42],
      ['Retail', 7],
    ];
    const text = said('units by channel', { groups: 3, tied_top: 2, tied_low: 1, top, low: [['Retail', 7]] });
    expect(text).toContain('highest for **Online** and **Partner** (**42** each) and lowest for **Retail** (**7**).');
    const many = Array.from({ length: 5 }, (_, at) => [`P${at}`, 9]);
    const crowd = said('top 10 products by units', {
      groups: 12,
      tied_top: 8,
      tied_low: 1,
      top: many,
      low: [['Z', 1]],
    });
    expect(crowd).toContain('and 3 more share the highest units: **9** each.');
  });

  it('does not name a kept group twice', () => {
    const facts = { groups: 1, tied_top: 1, tied_low: 1, top: [['North', 5]], low: [['North', 5]], kept: 300 };
    expect(said('units by region for North', facts)).toMatch(/^Units for \*\*North\*\*: \*\*5\*\*\./);
    const two = { best: ['North', 'Online', 9], least: ['North', 'Retail', 2], ranked: [['Online', 9]], kept: 300 };
    expect(said('units by region and channel for North', two)).toContain(
      'Units is highest for **Online** in **North**',
    );
  });

  it('says that repeated rows were counted like any other', () => {
    expect(said('total units', { values: { Units: 1 }, repeated: 3 })).toContain(
      'Rows used: 600 of 600, including 3 repeated rows.',
    );
  });

  it('promises no more groups than there are, and names charts as people do', () => {
    const plan = ask(sales, 'profit by moon');
    expect(plan.kind === 'talk' && plan.text).not.toMatch(/Top 5 (?:Region|Channel)/);
    const box = ask(sales, 'box plot of revenue');
    if (box.kind === 'talk') throw new Error(box.text);
    expect(titleFor(box)).toBe('Drawing a box plot of Revenue (EUR)');
    const top = ask(sales, 'bar chart of the top 5 regions by revenue');
    if (top.kind === 'talk') throw new Error(top.text);
    expect(codeFor(top, false)).toContain('(", top 5" if facts["groups"] > 5 else "")');
  });
});
