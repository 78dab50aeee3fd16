(async () => {
  "use strict";
  const root = document.documentElement;
  const ready = () => { root.dataset.ready = "1"; };
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, text, parent) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (parent) parent.append(node);
    return node;
  };
  const plainText = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  async function unpack(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  }

  // ---- tables: sort by a click on a heading, filter by words ----
  function value(row, column) {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  }
  function compare(a, b, sign) {
    const empty = (v) => v === "—";
    if (empty(a) || empty(b)) return empty(a) - empty(b);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), root.lang, { numeric: true });
  }
  function sortBy(heading) {
    const column = heading.cellIndex;
    const first = heading.classList.contains("number") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const order = heading.getAttribute("aria-sort") === first ? other : first;
    const body = heading.closest("table").tBodies[0];
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row, at) => ({ row, at, v: value(row, column) }));
    rows.sort((a, b) => compare(a.v, b.v, sign) || a.at - b.at);
    all("th", heading.parentNode).forEach((th) => th.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", order);
    body.append(...rows.map((item) => item.row));
  }
  function filter(figure, words) {
    const wanted = plainText(find("input", figure).value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of find("tbody", figure).rows) {
      const text = plainText(row.textContent);
      row.hidden = !wanted.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    const count = find(".count", figure);
    count.textContent = `${shown} / ${count.dataset.total} ${count.dataset.total === "1" ? words.row : words.rows}`;
  }

  const data = await unpack("data");
  const words = data.words;
  all("thead th button").forEach((button) => button.addEventListener("click", () => sortBy(button.parentNode)));
  all("figure.table input").forEach((input) => {
    input.addEventListener("input", () => filter(input.closest("figure"), words));
  });

  // ---- map ----
  const holder = document.getElementById("map");
  if (!holder) { ready(); return; }
  const objects = new Map();
  const slot = find(".map-slot");
  const frame = document.getElementById("frame");

  function bounds(geometry, box = [Infinity, Infinity, -Infinity, -Infinity]) {
    const walk = (part) => {
      if (typeof part[0] === "number") {
        box[0] = Math.min(box[0], part[0]); box[1] = Math.min(box[1], part[1]);
        box[2] = Math.max(box[2], part[0]); box[3] = Math.max(box[3], part[1]);
      } else part.forEach(walk);
    };
    walk(geometry.coordinates);
    return box;
  }
  const wholeBox = () => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const main = data.layers.filter((layer) => !/^(communes|coverage|extent)/.test(layer.id));
    for (const layer of main.length ? main : data.layers) layer.features.forEach((f) => bounds(f.geometry, box));
    return box;
  };

  const isCoverage = (layer) => layer.id.startsWith("coverage");
  const isGround = (layer) => layer.id === "communes" || isCoverage(layer);
  const pixels = (size) => size * 3;
  function byClass(layer, pick) {
    const [first, ...others] = layer.classes.map(pick);
    if (!others.length) return first;
    if (layer.renderer === "graduated") {
      return ["step", ["to-number", ["get", "value"], 0], first,
        ...others.flatMap((result, i) => [layer.classes[i + 1].lower, result])];
    }
    return ["match", ["to-string", ["get", "value"]],
      ...layer.classes.slice(0, -1).flatMap((entry, i) => [entry.value, [first, ...others][i]]), others.at(-1)];
  }
  function addHalo(map) {
    map.addLayer({ id: "chosen-line", type: "line", source: "chosen", filter: ["!=", "$type", "Point"],
      layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#ffd800", "line-width": 17, "line-opacity": 0.9 } });
  }
  function addLayer(map, layer) {
    layer.features.forEach((feature, i) => objects.set(`${layer.id}/${i}`, { layer, feature }));
    const features = layer.features.map((feature, i) => ({
      type: "Feature", id: i, geometry: feature.geometry, properties: { value: feature.value },
    }));
    map.addSource(layer.id, { type: "geojson", data: { type: "FeatureCollection", features }, tolerance: 0.2 });
    const color = byClass(layer, (entry) => entry.color);
    const width = byClass(layer, (entry) => pixels(entry.size));
    const visibility = layer.visible ? "visible" : "none";
    const common = { source: layer.id, layout: { visibility } };
    const isPlan = layer.id === "plan";
    const ground = isGround(layer);
    map.addLayer({ ...common, id: `${layer.id}-fill`, type: "fill", filter: ["==", "$type", "Polygon"],
      paint: { "fill-color": color, "fill-opacity": ground ? 0.04 : 0.55, "fill-antialias": !ground } });
    map.addLayer({ ...common, id: `${layer.id}-edge`, type: "line", filter: ["==", "$type", "Polygon"],
      paint: { "line-color": color, "line-width": isCoverage(layer) ? 1.5 : 0.9,
        "line-dasharray": isCoverage(layer) ? [4, 3] : [1, 0] } });
    const lined = { source: layer.id, filter: ["==", "$type", "LineString"] };
    const layout = { visibility, "line-cap": "round", "line-join": "round" };
    if (isPlan) {
      map.addLayer({ ...lined, layout, id: "plan-case", type: "line",
        paint: { "line-color": "#ffffff", "line-width": 8, "line-opacity": 0.9 } });
    }
    map.addLayer({ ...lined, layout, id: `${layer.id}-line`, type: "line",
      paint: { "line-color": color, "line-width": isPlan ? 4 : width, ...(isPlan ? { "line-dasharray": [1.6, 1.6] } : {}) } });
    map.addLayer({ ...common, id: `${layer.id}-point`, type: "circle", filter: ["==", "$type", "Point"],
      paint: { "circle-color": color, "circle-radius": byClass(layer, (entry) => 2 + pixels(entry.size) / 1.6),
        "circle-stroke-color": "#ffffff", "circle-stroke-width": isPlan ? 2.5 : 1.2 } });
  }
  const drawn = (layer) => ["fill", "edge", "case", "line", "point"].map((part) => `${layer.id}-${part}`);

  function swatch(layer, entry) {
    const like = layer.features.find((f) => layer.renderer === "categorised" && String(f.value) === entry.value) || layer.features[0];
    const kind = like.geometry.type.replace("Multi", "");
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("width", "26"); svg.setAttribute("height", "14"); svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(space, kind === "Point" ? "circle" : kind === "Polygon" ? "rect" : "line");
    const set = (values) => Object.entries(values).forEach(([name, v]) => shape.setAttribute(name, v));
    if (kind === "Point") set({ cx: 13, cy: 7, r: Math.min(6.5, 2 + pixels(entry.size) / 1.6), fill: entry.color });
    else if (kind === "Polygon") set({ x: 2, y: 1, width: 22, height: 12, fill: entry.color, "fill-opacity": isGround(layer) ? 0.06 : 0.55, stroke: entry.color, "stroke-dasharray": isCoverage(layer) ? "4 3" : "none" });
    else set({ x1: 1, y1: 7, x2: 25, y2: 7, stroke: entry.color, "stroke-width": layer.id === "plan" ? 4 : pixels(entry.size), "stroke-dasharray": layer.id === "plan" ? "6 5" : "none" });
    svg.append(shape);
    return svg;
  }
  const groups = new Map();
  function groupOf(layer) {
    const whole = document.getElementById("layers");
    if (!layer.group) return whole;
    if (!groups.has(layer.group)) {
      const group = make("details", undefined, whole);
      make("summary", layer.group, group);
      groups.set(layer.group, group);
    }
    const group = groups.get(layer.group);
    if (layer.visible) group.open = true;
    return group;
  }
  function addLegend(map, layer) {
    const block = make("div", undefined, groupOf(layer));
    const label = make("label", undefined, block);
    const box = make("input", undefined, label);
    box.type = "checkbox"; box.checked = layer.visible; box.dataset.layer = layer.id;
    if (layer.classes.length === 1) label.append(swatch(layer, layer.classes[0]));
    make("span", layer.title, label);
    if (layer.classes.length > 1) {
      const list = make("ul", undefined, block);
      layer.classes.forEach((entry) => { const item = make("li", undefined, list); item.append(swatch(layer, entry)); make("span", entry.label, item); });
    }
    const apply = () => {
      block.classList.toggle("off", !box.checked);
      const list = find("ul", block);
      if (list) list.hidden = !box.checked;
      drawn(layer).filter((id) => map.getLayer(id)).forEach((id) => map.setLayoutProperty(id, "visibility", box.checked ? "visible" : "none"));
    };
    box.addEventListener("change", apply);
    apply();
  }
  function writeNames(map) {
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const features = data.labels.map((label, i) => {
      const font = label.kind === "nro" ? "600 26px system-ui, sans-serif" : "italic 25px Georgia, 'DejaVu Serif', serif";
      pen.font = font;
      canvas.width = Math.ceil(pen.measureText(label.text).width) + 14; canvas.height = 38;
      pen.font = font; pen.textBaseline = "middle"; pen.lineJoin = "round";
      pen.lineWidth = 7; pen.strokeStyle = "#ffffffdd"; pen.strokeText(label.text, 7, 19);
      pen.fillStyle = label.kind === "nro" ? "#10202e" : "#56626d"; pen.fillText(label.text, 7, 19);
      map.addImage(`name-${i}`, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: 2 });
      return { type: "Feature", geometry: { type: "Point", coordinates: [label.lng, label.lat] }, properties: { image: `name-${i}`, nro: label.kind === "nro" } };
    });
    map.addSource("names", { type: "geojson", data: { type: "FeatureCollection", features } });
    map.addLayer({ id: "names", type: "symbol", source: "names",
      layout: { "icon-image": ["get", "image"], "icon-offset": ["case", ["get", "nro"], ["literal", [0, -17]], ["literal", [0, 0]]], "symbol-sort-key": ["case", ["get", "nro"], 0, 1] } });
  }

  function highlight(map, feature) {
    const found = feature ? [{ type: "Feature", properties: {}, geometry: feature.geometry }] : [];
    map.getSource("chosen").setData({ type: "FeatureCollection", features: found });
  }
  function choose(map, key, geometry) {
    all("tr.chosen").forEach((row) => row.classList.remove("chosen"));
    all("tr[data-key]").filter((row) => row.dataset.key === key).forEach((row) => row.classList.add("chosen"));
    highlight(map, { geometry });
  }
  function showRow(map, key) {
    const layer = data.layers.find((candidate) => candidate.features.some((f) => f.key === key));
    if (!layer) return;
    showFeature(map, layer, layer.features.find((f) => f.key === key));
  }
  function showFeature(map, layer, feature) {
    const box = all("#layers input").find((input) => input.dataset.layer === layer.id);
    if (!box.checked) box.click();
    choose(map, feature.key || "none", feature.geometry);
    const seen = slot.getBoundingClientRect();
    if (seen.bottom < 120 || seen.top > innerHeight - 120) dock(map, true);
    const [w, s, e, n] = bounds(feature.geometry);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    map.fitBounds([[w, s], [e, n]], { padding: 60, maxZoom: 14.5, duration: calm ? 0 : 700 });
  }
  function dock(map, docked) {
    frame.classList.toggle("docked", docked);
    document.getElementById("undock").hidden = !docked;
    map.resize();
  }
  function popup(map, at, { layer, feature }) {
    const content = document.createElement("div");
    make("h4", layer.title, content);
    const list = make("dl", undefined, content);
    feature.facts.forEach(([name, text]) => { make("dt", name, list); make("dd", text, list); });
    const row = feature.key && all("tr[data-key]").find((candidate) => candidate.dataset.key === feature.key);
    if (row) {
      const button = make("button", words.show_in_list, content);
      button.type = "button";
      button.addEventListener("click", () => { row.hidden = false; row.scrollIntoView({ block: "center" }); row.focus({ preventScroll: true }); });
    }
    const object = listed(feature);
    if (object) {
      const button = make("button", words.what_if, content);
      button.type = "button";
      button.addEventListener("click", () => fail(map, object, true));
    }
    new maplibregl.Popup({ maxWidth: "340px" }).setLngLat(at).setDOMContent(content).addTo(map);
    choose(map, feature.key, feature.geometry);
  }

  // ---- what if this fails: the network drawn together around the listed objects ----
  const net = data.failures;
  const fallen = new Set();
  const number = (value) => value.toLocaleString(root.lang);
  const gather = (objects, owned) => {
    const by = new Map();
    objects.forEach((object, i) => { if (!by.has(object)) by.set(object, []); by.get(object).push(owned[i]); });
    return by;
  };
  let nodesOf, edgesOf, around;
  if (net) {
    nodesOf = gather(net.node_object, net.node_of); edgesOf = gather(net.edge_object, net.edge_of);
    around = Array.from({ length: net.n }, () => []);
    net.tail.forEach((a, edge) => { around[a].push([net.head[edge], edge]); around[net.head[edge]].push([a, edge]); });
  }
  function lostBy(objects) {
    const seen = new Uint8Array(net.n), cut = new Uint8Array(net.tail.length);
    for (const object of objects) {
      (nodesOf.get(object) || []).forEach((node) => { seen[node] = 2; });
      (edgesOf.get(object) || []).forEach((edge) => { cut[edge] = 1; });
    }
    const stack = [net.root];
    seen[net.root] = 1;
    while (stack.length) {
      for (const [node, edge] of around[stack.pop()]) {
        if (!seen[node] && !cut[edge]) { seen[node] = 1; stack.push(node); }
      }
    }
    const lost = new Map();
    net.node.forEach((node, i) => { if (seen[node] !== 1) lost.set(net.group[i], (lost.get(net.group[i]) || 0) + net.prises[i]); });
    return lost;
  }
  const objectOf = new Map(net ? net.rows.map((key, i) => [key, i]) : []);
  // an NRO, a PM or a série is the listed object of its code
  const ofCode = new Map(net ? net.codes.map((code, i) => [code, net.rows[i]]).reverse() : []);
  const listed = (feature) => (objectOf.has(feature.key) ? feature.key : feature.code && ofCode.get(feature.code));
  const nameOf = (key) => data.layers.flatMap((layer) => layer.features).find((f) => f.key === key).name;
  window.prisesDown = (keys) => [...lostBy(keys.map((key) => objectOf.get(key))).values()].reduce((a, b) => a + b, 0);
  function fail(map, key, failed) {
    if (failed) fallen.add(key); else fallen.delete(key);
    const panel = document.getElementById("what-if");
    panel.hidden = !fallen.size;
    const lost = lostBy([...fallen].map((one) => objectOf.get(one)));
    const total = [...lost.values()].reduce((a, b) => a + b, 0);
    find(".result", panel).textContent = words.what_if_result.replace("{prises}", number(total)).replace("{pm}", number(lost.size));
    find(".fallen", panel).replaceChildren(...[...fallen].map((one) => {
      const item = make("li");
      make("span", nameOf(one), item);
      const button = make("button", words.what_if_remove, item);
      button.type = "button";
      button.addEventListener("click", () => fail(map, one, false));
      return item;
    }));
    const hit = [...lost].sort((a, b) => b[1] - a[1]);
    find(".groups", panel).textContent = hit.slice(0, 12).map(([group, prises]) => `${net.groups[group][0]} : ${number(prises)}`).join(" · ") + (hit.length > 12 ? " …" : "");
    const features = hit.filter(([group]) => net.groups[group].length === 3).map(([group, prises]) => ({
      type: "Feature", properties: { prises }, geometry: { type: "Point", coordinates: net.groups[group].slice(1) },
    }));
    map.getSource("lost").setData({ type: "FeatureCollection", features });
  }

  // ---- search ----
  function startSearch(map) {
    const form = document.getElementById("search");
    const input = find("input", form), list = find("datalist", form), status = find("[role=status]", form);
    const known = data.layers.flatMap((layer) => layer.features.filter((f) => f.name)
      .map((feature) => ({ layer, feature, name: feature.name, plain: plainText(feature.name) })));
    const matching = (most) => {
      const wanted = plainText(input.value).split(/\s+/).filter(Boolean);
      const found = [];
      if (!wanted.length) return found;
      const exact = known.find((one) => one.name === input.value);
      if (exact) return [exact];
      for (const one of known) {
        if (wanted.every((word) => one.plain.includes(word)) && found.push(one) === most) break;
      }
      return found;
    };
    input.addEventListener("input", () => {
      status.textContent = "";
      list.replaceChildren(...matching(20).map((one) => { const option = make("option"); option.value = one.name; return option; }));
    });
    const found = () => {
      const [first] = matching(1);
      status.textContent = first ? "" : words.search_none;
      return first;
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const one = found();
      if (one) showFeature(map, one.layer, one.feature);
    });
    find("[data-fail]", form).addEventListener("click", () => {
      const one = found(), object = one && listed(one.feature);
      if (one && !object) status.textContent = words.what_if_unlisted;
      if (object) { showFeature(map, one.layer, one.feature); fail(map, object, true); }
    });
  }

  let map;
  try {
    map = new maplibregl.Map({
      container: holder, attributionControl: false, fadeDuration: 0, maxPitch: 0, dragRotate: false,
      canvasContextAttributes: { preserveDrawingBuffer: true, antialias: true },
      style: { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint: { "background-color": "#fbfbf9" } }] },
      bounds: wholeBox(), fitBoundsOptions: { padding: 48 },
      locale: { "NavigationControl.ZoomIn": "+", "NavigationControl.ZoomOut": "−" },
    });
  } catch (error) {
    make("p", words.no_webgl, holder).className = "notice";
    ready();
    return;
  }
  window.map = map;
  map.on("error", (event) => console.error(event.error));
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-left");
  map.on("load", () => {
    map.addSource("chosen", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    const isBelow = (layer) => /^(communes|coverage|extent)/.test(layer.id);
    data.layers.filter(isBelow).forEach((layer) => addLayer(map, layer));
    addHalo(map);
    data.layers.filter((layer) => !isBelow(layer)).forEach((layer) => addLayer(map, layer));
    map.addLayer({ id: "chosen-point", type: "circle", source: "chosen", filter: ["==", "$type", "Point"],
      paint: { "circle-color": "#ffd800", "circle-radius": 11, "circle-opacity": 0, "circle-stroke-color": "#ffd800", "circle-stroke-width": 5 } });
    map.addSource("lost", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.addLayer({ id: "lost", type: "circle", source: "lost",
      paint: { "circle-color": "#9c1f1b", "circle-opacity": 0.35, "circle-stroke-color": "#9c1f1b", "circle-stroke-width": 2,
        "circle-radius": ["+", 7, ["/", ["sqrt", ["get", "prises"]], 3]] } });
    writeNames(map);
    startSearch(map);
    const topFirst = [...data.layers].reverse();
    topFirst.filter((layer) => !layer.group).forEach((layer) => addLegend(map, layer));
    data.layers.filter((layer) => layer.group).forEach(groupOf);
    topFirst.filter((layer) => layer.group).forEach((layer) => addLegend(map, layer));
    const clickable = () => data.layers.filter((l) => !/^(coverage|extent)/.test(l.id)).flatMap(drawn).filter((id) => map.getLayer(id) && !id.endsWith("-case"));
    const under = (point) => {
      const around = [[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]];
      const hit = map.queryRenderedFeatures(around, { layers: clickable() })[0];
      return hit && objects.get(`${hit.source}/${hit.id}`);
    };
    map.on("click", (event) => { const found = under(event.point); if (found) popup(map, event.lngLat, found); });
    map.on("mousemove", (event) => { map.getCanvas().style.cursor = under(event.point) ? "pointer" : ""; });
    all("tr[data-key]").forEach((row) => {
      row.addEventListener("click", () => showRow(map, row.dataset.key));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") showRow(map, row.dataset.key); });
    });
    document.getElementById("undock").addEventListener("click", () => dock(map, false));
    new IntersectionObserver((entries) => { if (entries.at(-1).intersectionRatio >= 0.4) dock(map, false); }, { threshold: [0, 0.2, 0.4, 0.6, 0.8, 1] }).observe(slot);
    addEventListener("beforeprint", () => dock(map, false));
    map.once("idle", ready);
  });
})();
