// The small part of Plotly's API that src/plotly.js uses. The shapes of traces and layouts are Plotly's own
// (https://plotly.com/javascript/reference/); only what this page reads back is typed closely.

export type Trace = Record<string, unknown> & {type: string};
export type Shape = Record<string, unknown> & {type: string};
export type Layout = Record<string, unknown> & {
  width: number;
  height: number;
  margin: {l: number; r: number; t: number; b: number; autoexpand: boolean};
  shapes: Shape[];
};

export interface Figure {
  traces: Trace[];
  layout: Layout;
}

export type RelayoutEvent = Record<string, unknown>;

/** Private, pinned by version and guarded by guardPrivateFields() in plotly.js. */
export interface PrivateTrace {
  z?: ArrayLike<number>[];
}

/** Private, pinned by version and guarded by guardPrivateFields() in plotly.js. */
export interface PrivateAxis {
  _offset: number;
  _length: number;
  range: [number, number];
}

export interface PlotElement extends HTMLElement {
  data: PrivateTrace[];
  layout: Layout;
  _fullData: PrivateTrace[];
  calcdata: PrivateTrace[][];
  _fullLayout: {xaxis: PrivateAxis; yaxis: PrivateAxis};
  on(event: 'plotly_relayout', listener: (event: RelayoutEvent) => void): void;
  on(event: 'plotly_doubleclick' | 'plotly_afterplot', listener: () => void): void;
}

export interface PlotlyApi {
  version: string;
  newPlot(host: HTMLElement, traces: Trace[], layout: Layout, config: Record<string, unknown>): Promise<PlotElement>;
  react(host: HTMLElement, traces: Trace[], layout: Layout, config: Record<string, unknown>): Promise<PlotElement>;
  restyle(host: HTMLElement, update: Record<string, unknown>, traces: number[]): Promise<PlotElement>;
  relayout(host: HTMLElement, update: Record<string, unknown>): Promise<PlotElement>;
  purge(host: HTMLElement): void;
  downloadImage(figure: {data: Trace[]; layout: Layout}, options: Record<string, unknown>): Promise<string>;
}

declare global {
  interface Window {
    Plotly?: PlotlyApi;
  }
}
