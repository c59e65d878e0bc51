/** Paper: the millimetre grid, the lead names and a calibration pulse of 1 mV before each lead. */

const PULSE_MM = 5; // 200 ms at 25 mm/s

function rule(ctx, layout, ink, everyMm, colour) {
  const ratio = ctx.getTransform().a;
  const snap = (px) => Math.round(px * ratio) / ratio;
  const step = everyMm * layout.pxPerMm;
  const line = 1 / ratio;
  ctx.fillStyle = colour;
  for (let x = layout.x0 % step; x < layout.width; x += step) ctx.fillRect(snap(x), 0, line, layout.height);
  const top = layout.baselines[0] % step;
  for (let y = top; y < layout.height; y += step) ctx.fillRect(0, snap(y), layout.width, line);
}

function pulse(ctx, layout, baseline) {
  const mm = layout.pxPerMm;
  const left = 2.5 * mm;
  ctx.beginPath();
  ctx.moveTo(left - 1.5 * mm, baseline);
  ctx.lineTo(left, baseline);
  ctx.lineTo(left, baseline - layout.pxPerMv);
  ctx.lineTo(left + PULSE_MM * mm, baseline - layout.pxPerMv);
  ctx.lineTo(left + PULSE_MM * mm, baseline);
  ctx.lineTo(left + (PULSE_MM + 1.5) * mm, baseline);
  ctx.stroke();
}

/** The scale, as it stands on printed strips. */
function legend(ctx, layout, ink) {
  const text = `${layout.mmPerS} mm/s   ${layout.mmPerMv} mm/mV`;
  ctx.font = `600 13px ${ink.font}`;
  const wide = ctx.measureText(text).width + 12;
  const left = layout.width - wide - 6;
  const top = layout.height - 26;
  ctx.fillStyle = ink.ground;
  ctx.fillRect(left, top, wide, 20);
  ctx.fillStyle = ink.text;
  ctx.fillText(text, left + 6, top + 15);
}

export function drawPaper(ctx, layout, ink, leads) {
  ctx.fillStyle = ink.ground;
  ctx.fillRect(0, 0, layout.width, layout.height);
  rule(ctx, layout, ink, 1, ink.minor);
  rule(ctx, layout, ink, 5, ink.major);
  ctx.strokeStyle = ink.text;
  ctx.lineWidth = 1.3;
  ctx.fillStyle = ink.text;
  ctx.font = `600 14px ${ink.font}`;
  leads.forEach((lead, row) => {
    pulse(ctx, layout, layout.baselines[row]);
    ctx.fillText(lead, 2.5 * layout.pxPerMm, layout.baselines[row] + 18);
  });
  legend(ctx, layout, ink);
}
