// Tables that can be sorted. The order is in the address, so that a link shows the same.

/** The head of a column that sorts. */
function sortHead(column, order, sort) {
  const isSorted = order.key === column.key;
  return h("th", { scope: "col", class: column.class, title: column.help, "aria-sort": isSorted ? (order.isDescending ? "descending" : "ascending") : undefined },
    column.value
      ? h("button", { type: "button", "data-key": column.key, onclick: () => sort(column.key, isSorted ? !order.isDescending : !column.isText) }, column.title)
      : column.title);
}

/** Sorts rows by a column; what has no value comes last either way. */
function sorted(rows, column, isDescending) {
  const sign = isDescending ? -1 : 1;
  return rows.map((row) => [column.value(row), row]).sort(([a, first], [b, second]) => {
    const isMissing = (value) => value === null || value === undefined;
    if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b) || first.place - second.place;
    if (a === b) return first.place - second.place;
    return (a < b ? -1 : 1) * sign;
  }).map(([, row]) => row);
}
