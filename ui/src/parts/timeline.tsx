// SPDX-License-Identifier: Apache-2.0
import { duration, timeOfDay } from "../format";
import type { Story, TapioRecord } from "../types";

const WIDTH = 640;
const LANE = 22;
const LEFT = 130; // where the names of the lanes stand

// When what the story rests on happened: a lane for each kind of record, and the story's own time.
export function TimeLine({ story, records }: { story: Story; records: TapioRecord[] }) {
  const times = [story.time, ...records.map((record) => record.time)].map((time) => new Date(time).getTime());
  const from = Math.min(...times);
  const span = Math.max(Math.max(...times) - from, 1);
  const x = (time: string) => LEFT + 12 + ((new Date(time).getTime() - from) / span) * (WIDTH - LEFT - 36);
  const lanes = [...new Set(records.map((record) => record.name))];
  const height = (lanes.length + 1) * LANE + 18;
  return (
    <svg class="timeline" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={`${records.length} records over ${duration(span / 1000)}`}>
      {lanes.map((name, lane) => (
        <g key={name} transform={`translate(0 ${lane * LANE + LANE / 2})`}>
          <text x={LEFT} class="lane" text-anchor="end" dominant-baseline="middle">{name}</text>
          <line x1={LEFT + 8} x2={WIDTH} class="axis" />
          {records.filter((record) => record.name === name).map((record) => (
            <circle key={record.id} cx={x(record.time)} cy={0} r={5}>
              <title>{`${timeOfDay(record.time)} ${record.name} ${record["process.executable.name"] ?? ""}`}</title>
            </circle>
          ))}
        </g>
      ))}
      <line class="moment" x1={x(story.time)} x2={x(story.time)} y1={0} y2={height - 18} />
      <text class="moment" x={x(story.time) - 4} y={height - 22} text-anchor="end">{timeOfDay(story.time)}</text>
      <text x={LEFT + 12} y={height - 4} class="scale">{timeOfDay(new Date(from).toISOString())}</text>
      <text x={WIDTH} y={height - 4} class="scale" text-anchor="end">+{duration(span / 1000)}</text>
    </svg>
  );
}
