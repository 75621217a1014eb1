async ([first, last, known]) => {
  const { daysInMonth, exists, fromGregorian, isLeapYear, toGregorian, weekday } = await import("/assets/js/jalali.js");
  const intl = new Intl.DateTimeFormat("en-u-ca-persian-nu-latn", { year: "numeric", month: "numeric", day: "numeric", timeZone: "UTC" });
  const wrong = [];
  let days = 0;
  for (let year = first; year <= last; year += 1) {
    for (let month = 1; month <= 12; month += 1) {
      for (const day of [1, 15, daysInMonth(year, month)]) {
        const date = new Date(toGregorian({ year, month, day }));
        const parts = Object.fromEntries(intl.formatToParts(date).map(({ type, value }) => [type, parseInt(value, 10)]));
        const back = fromGregorian(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
        const same = (other) => other.year === year && other.month === month && other.day === day;
        const rightDay = weekday({ year, month, day }) === (date.getUTCDay() + 1) % 7;
        if (!same(parts) || !same(back) || !rightDay) wrong.push([year, month, day]);
        days += 1;
      }
    }
  }
  const read = (text) => {
    const [year, month, day] = text.split("-").map(Number);
    return { year, month, day };
  };
  for (const { jalali, gregorian, leap_year: leap } of known.vectors) {
    if (toGregorian(read(jalali)) !== gregorian || isLeapYear(read(jalali).year) !== leap) wrong.push(jalali);
  }
  for (const { jalali } of known.invalid_dates) if (exists(read(jalali))) wrong.push(jalali);
  return { days, wrong };
}
