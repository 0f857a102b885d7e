"use strict";
// Three linked planes of each image with the outlines on them, on plain canvases.
// World coordinates are millimetres, x to the left, y to the back, z to the head.
(async () => {
  const source = document.getElementById("viewer-data");
  const holder = document.getElementById("viewer-planes");
  if (!source || !holder) return;
  const readout = document.getElementById("viewer-readout");
  if (typeof DecompressionStream === "undefined") {
    readout.textContent = "This browser is too old for the viewer; the pictures below show every lesion.";
    return;
  }

  const data = JSON.parse(source.textContent);
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpack = async (text) => {
    const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const [nz, ny, nx] = data.shape;
  const count = [nx, ny, nz];
  const stride = [1, nx, nx * ny];
  const images = await Promise.all(data.images.map(async (image) => ({ ...image, data: await unpack(image.data) })));
  const byName = Object.fromEntries(images.map((image) => [image.name, image]));
  const regions = [
    { name: "liver", colour: "#ffffff", dash: [2, 5], width: 1.3 },
    { name: "focus", colour: "#ffd633", dash: [8, 5], width: 2 },
    { name: "lesion", colour: "#40d6ff", dash: [], width: 2 },
  ];
  for (const region of regions) region.data = await unpack(data.regions[region.name]);
  const colours = bytesOf(data.colours);

  // across: the axis a plane stands on; right, down: those along the picture; up: whether
  // the one along the rows grows upwards.
  const views = [
    { name: "axial", across: 2, right: 0, down: 1, up: false, letters: "RLAP" },
    { name: "coronal", across: 1, right: 0, down: 2, up: true, letters: "RLHF" },
    { name: "sagittal", across: 0, right: 1, down: 2, up: true, letters: "APHF" },
  ];
  const most = Math.max(...count);
  const side = 480;
  const zoom = side / most;
  const cursor = count.map((n) => Math.floor(n / 2));
  const shown = { suv: data.suv_top, fusion: 0, outlines: true };

  const slice = (view, values, into) => {
    const width = count[view.right];
    const height = count[view.down];
    const base = cursor[view.across] * stride[view.across];
    for (let row = 0; row < height; row += 1) {
      const down = view.up ? height - 1 - row : row;
      let place = base + down * stride[view.down];
      for (let column = 0; column < width; column += 1) {
        into[row * width + column] = values[place];
        place += stride[view.right];
      }
    }
    return into;
  };

  const greys = (image) => {
    const table = new Uint8Array(256);
    const top = image.name === "pet" ? shown.suv : image.name === "hbp" ? data.hbp_top : image.high - 100;
    const low = image.name === "ct" ? image.low + 100 : image.low;
    for (let step = 0; step < 256; step += 1) {
      const value = image.low + (step / 255) * (image.high - image.low);
      const share = Math.min(1, Math.max(0, (value - low) / (top - low)));
      table[step] = Math.round(255 * (image.name === "pet" ? 1 - share : share));
    }
    return table;
  };

  const paint = (canvas) => {
    const { view, image, context, small, buffer, over } = canvas.state;
    const width = count[view.right];
    const height = count[view.down];
    slice(view, image.data, buffer);
    const table = greys(image);
    const pixels = small.getImageData(0, 0, width, height);
    const isFused = image.name === "hbp" && shown.fusion > 0 && byName.pet;
    if (isFused) slice(view, byName.pet.data, over);
    for (let n = 0; n < buffer.length; n += 1) {
      const grey = table[buffer[n]];
      let red = grey, green = grey, blue = grey;
      if (isFused) {
        const suv = byName.pet.low + (over[n] / 255) * (byName.pet.high - byName.pet.low);
        const share = Math.min(1, Math.max(0, suv / shown.suv));
        const opacity = shown.fusion * share;
        const colour = 3 * Math.round(255 * share);
        red += opacity * (colours[colour] - grey);
        green += opacity * (colours[colour + 1] - grey);
        blue += opacity * (colours[colour + 2] - grey);
      }
      pixels.data[4 * n] = red;
      pixels.data[4 * n + 1] = green;
      pixels.data[4 * n + 2] = blue;
      pixels.data[4 * n + 3] = 255;
    }
    small.putImageData(pixels, 0, 0);
    context.fillStyle = "#3a3e44";
    context.fillRect(0, 0, side, side);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(small.canvas, canvas.state.left, canvas.state.top, width * zoom, height * zoom);
    if (shown.outlines) outline(canvas);
    label(canvas);
  };

  // Marching squares: where the surface, at one half, crosses the lines between voxels.
  const outline = (canvas) => {
    const { view, context, over } = canvas.state;
    const width = count[view.right];
    const height = count[view.down];
    for (const region of regions) {
      slice(view, region.data, over);
      const path = new Path2D();
      for (let row = 0; row + 1 < height; row += 1) {
        for (let column = 0; column + 1 < width; column += 1) {
          const corner = row * width + column;
          const values = [over[corner], over[corner + 1], over[corner + width + 1], over[corner + width]];
          const inside = values.map((value) => value > 127);
          if (inside[0] === inside[1] && inside[1] === inside[2] && inside[2] === inside[3]) continue;
          const crossings = [];
          const corners = [[0, 0], [1, 0], [1, 1], [0, 1]];
          for (let edge = 0; edge < 4; edge += 1) {
            const next = (edge + 1) % 4;
            if (inside[edge] === inside[next]) continue;
            const share = (127.5 - values[edge]) / (values[next] - values[edge]);
            crossings.push([0, 1].map((axis) => corners[edge][axis] + share * (corners[next][axis] - corners[edge][axis])));
          }
          for (let n = 0; n + 1 < crossings.length; n += 2) {
            const [x0, y0] = crossings[n];
            const [x1, y1] = crossings[n + 1];
            path.moveTo(canvas.state.left + (column + x0 + 0.5) * zoom, canvas.state.top + (row + y0 + 0.5) * zoom);
            path.lineTo(canvas.state.left + (column + x1 + 0.5) * zoom, canvas.state.top + (row + y1 + 0.5) * zoom);
          }
        }
      }
      // Each piece is shorter than a dash, so the liver is told by a thin line instead.
      context.lineCap = "round";
      context.strokeStyle = "rgba(0, 0, 0, 0.6)";
      context.lineWidth = region.width + 1.6;
      context.stroke(path);
      context.strokeStyle = region.colour;
      context.lineWidth = region.width;
      context.stroke(path);
    }
  };

  const place = (canvas, voxel) => {
    const { view, left, top } = canvas.state;
    const down = view.up ? count[view.down] - 1 - voxel[view.down] : voxel[view.down];
    return [left + (voxel[view.right] + 0.5) * zoom, top + (down + 0.5) * zoom];
  };

  const write = (context, text, x, y, align = "left") => {
    context.textAlign = align;
    context.lineWidth = 3;
    context.strokeStyle = "#000";
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };

  const label = (canvas) => {
    const { view, image, context } = canvas.state;
    const [x, y] = place(canvas, cursor);
    context.strokeStyle = "rgba(255, 255, 255, 0.75)";
    context.lineWidth = 1;
    context.beginPath();
    for (const [from, to] of [[0, x - 14], [x + 14, side]]) { context.moveTo(from, y); context.lineTo(to, y); }
    for (const [from, to] of [[0, y - 14], [y + 14, side]]) { context.moveTo(x, from); context.lineTo(x, to); }
    context.stroke();
    context.font = "14px system-ui, sans-serif";
    context.fillStyle = "#fff";
    context.textBaseline = "middle";
    const [left, right, top, bottom] = view.letters;
    write(context, left, 5, side / 2);
    write(context, right, side - 5, side / 2, "right");
    write(context, top, side / 2, 12, "center");
    write(context, bottom, side / 2, side - 12, "center");
    write(context, `${image.title} ${view.name}`, 8, 14);
    if (shown.outlines) {
      for (const lesion of data.places) {
        if (Math.abs(lesion.voxel[view.across] - cursor[view.across]) * data.step_mm > lesion.radius_mm) continue;
        const [lx, ly] = place(canvas, lesion.voxel);
        write(context, lesion.id, lx + (lesion.radius_mm / data.step_mm) * zoom + 4, ly - 8);
      }
    }
    const world = worldOf(cursor)[view.across];
    canvas.setAttribute("aria-valuenow", String(cursor[view.across]));
    canvas.setAttribute("aria-valuetext", `${"xyz"[view.across]} ${world.toFixed(0)} mm`);
  };

  const worldOf = (voxel) => voxel.map((value, axis) => data.first_mm[axis] + value * data.step_mm);
  for (const lesion of data.places) {
    lesion.voxel = lesion.place_mm.map((value, axis) => (value - data.first_mm[axis]) / data.step_mm);
  }

  const canvases = [];
  let isWaiting = false;
  const redraw = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      for (const canvas of canvases) paint(canvas);
      const at = cursor.reduce((sum, value, axis) => sum + value * stride[axis], 0);
      const values = images.map((image) => {
        const value = image.low + (image.data[at] / 255) * (image.high - image.low);
        return `${image.unit || image.title} ${value.toFixed(image.name === "pet" ? 1 : 0)}`;
      });
      const world = worldOf(cursor).map((value) => value.toFixed(0));
      readout.textContent = `x ${world[0]}, y ${world[1]}, z ${world[2]} mm: ${values.join(", ")}`;
      holder.dataset.cursor = cursor.join(" ");
    });
  };
  const moveTo = (voxel) => {
    voxel.forEach((value, axis) => { cursor[axis] = Math.min(count[axis] - 1, Math.max(0, Math.round(value))); });
    redraw();
  };
  const scroll = (view, steps) => {
    const voxel = [...cursor];
    voxel[view.across] += steps;
    moveTo(voxel);
  };

  const onKey = (event, view) => {
    const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (event.shiftKey && event.key.startsWith("Arrow")) {
      const voxel = [...cursor];
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") voxel[view.right] += event.key === "ArrowRight" ? 1 : -1;
      else voxel[view.down] += (event.key === "ArrowDown") === view.up ? -1 : 1;
      moveTo(voxel);
    } else if (step) scroll(view, step);
    else return;
    event.preventDefault();
  };

  const onPointer = (event, canvas) => {
    const { view, left, top } = canvas.state;
    const box = canvas.getBoundingClientRect();
    const scale = side / box.width;
    const voxel = [...cursor];
    const down = ((event.clientY - box.top) * scale - top) / zoom - 0.5;
    voxel[view.right] = ((event.clientX - box.left) * scale - left) / zoom - 0.5;
    voxel[view.down] = view.up ? count[view.down] - 1 - down : down;
    moveTo(voxel);
  };

  const make = (view, image) => {
    const canvas = document.createElement("canvas");
    canvas.width = side;
    canvas.height = side;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "slider");
    canvas.setAttribute("aria-label", `${image.title}, ${view.name} plane`);
    canvas.setAttribute("aria-valuemin", "0");
    canvas.setAttribute("aria-valuemax", String(count[view.across] - 1));
    const small = new OffscreenCanvas(count[view.right], count[view.down]).getContext("2d", { willReadFrequently: true });
    const size = count[view.right] * count[view.down];
    canvas.state = {
      view, image, small,
      context: canvas.getContext("2d"),
      buffer: new Uint8Array(size),
      over: new Uint8Array(size),
      left: (side - count[view.right] * zoom) / 2,
      top: (side - count[view.down] * zoom) / 2,
    };
    canvas.addEventListener("keydown", (event) => onKey(event, view));
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      onPointer(event, canvas);
    });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) onPointer(event, canvas); });
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas) return;
      event.preventDefault();
      scroll(view, event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
    canvases.push(canvas);
    holder.append(canvas);
  };
  holder.className = ["one", "two", "three"][images.length - 1];
  for (const view of views) for (const image of images) make(view, image);

  const picker = document.getElementById("viewer-go");
  const go = (id) => {
    const lesion = data.places.find((one) => one.id === id);
    if (!lesion) return;
    picker.value = id;
    moveTo(lesion.voxel);
  };
  picker.addEventListener("change", () => go(picker.value));
  document.addEventListener("lesion", (event) => go(event.detail));
  const suv = document.getElementById("viewer-suv");
  const suvOut = document.getElementById("viewer-suv-out");
  suv.max = String(Math.ceil(byName.pet.high));
  suv.value = String(shown.suv);
  const setSuv = () => { shown.suv = Number(suv.value); suvOut.textContent = suv.value; redraw(); };
  suv.addEventListener("input", setSuv);
  const fusion = document.getElementById("viewer-fusion");
  fusion.addEventListener("input", () => { shown.fusion = fusion.value / 100; redraw(); });
  const outlines = document.getElementById("viewer-outlines");
  outlines.addEventListener("change", () => { shown.outlines = outlines.checked; redraw(); });
  setSuv();
  const chosen = document.querySelector(".lesion.chosen");
  const listed = document.querySelector("#overview a[data-choose]:not(svg a)") ?? document.querySelector("#lesion-table a");
  go(chosen ? chosen.id : listed?.dataset.choose);
  holder.dataset.ready = "true";
})();
