/** Every Persian sentence that a script says. The sentences of a page itself are in its HTML. */

import { persianNumber, toPersian } from "./digits.js";
import { MONTHS } from "./jalali.js";

const RETYPE = "لطفاً دوباره بررسی کنید.";

/**
 * @param {string[]} items
 * @param {string} joint
 * @returns {string}
 */
function list(items, joint) {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join("، ")} ${joint} ${items[items.length - 1]}`;
}

export const words = {
  /** @param {string[]} items */
  oneOf: (items) => list(items, "یا"),

  titleWithError: "خطا: ",
  errorPrefix: "خطا: ",

  summary: {
    fields: "لطفاً این موارد را اصلاح کنید",
    failure: "درخواست شما ثبت نشد",
    trackingFailure: "پیگیری انجام نشد",
    catalogFailure: "فهرست استان‌ها و موضوع‌ها بارگذاری نشد",
    retry: "تلاش دوباره",
  },

  failure: {
    offline: "اتصال اینترنت شما قطع است. پس از وصل شدن، دوباره تلاش کنید. آنچه نوشته‌اید در این صفحه می‌ماند.",
    unreachable: "به سامانه وصل نشدیم. اینترنت خود را بررسی کنید و دوباره تلاش کنید. آنچه نوشته‌اید در این صفحه می‌ماند.",
    server: "سامانه در حال حاضر پاسخ نمی‌دهد. چند دقیقهٔ دیگر دوباره تلاش کنید. آنچه نوشته‌اید در این صفحه می‌ماند.",
    later: "لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید.",
    unexpected: "این کار انجام نشد. لطفاً دوباره تلاش کنید.",
    /** @param {number} seconds */
    wait: (seconds) => (seconds < 60
      ? `لطفاً ${toPersian(Math.max(1, Math.ceil(seconds)))} ثانیهٔ دیگر دوباره تلاش کنید.`
      : `لطفاً حدود ${toPersian(Math.ceil(seconds / 60))} دقیقهٔ دیگر دوباره تلاش کنید.`),
  },

  birthDate: {
    missing: "تاریخ تولد خود را وارد کنید.",
    /** @param {string[]} parts */
    incomplete: (parts) => `${list(parts, "و")} تولد را هم وارد کنید.`,
    parts: { day: "روز", month: "ماه", year: "سال" },
    month: "ماه تولد را انتخاب کنید.",
    year: "سال تولد را با چهار رقم بنویسید؛ مانند ۱۳۶۱.",
    gregorianYear: "سال تولد را به شمسی بنویسید؛ مانند ۱۳۶۱.",
    /** @param {number} month @param {number} year @param {number} days */
    day: (month, year, days) => `${MONTHS[month - 1]} ${toPersian(year)} روزهای ۱ تا ${toPersian(days)} دارد. روز تولد را اصلاح کنید.`,
    future: "تاریخ تولد نمی‌تواند در آینده باشد. لطفاً اصلاح کنید.",
  },

  nationalId: {
    empty: "کد ملی خود را وارد کنید.",
    not_digits: "کد ملی را فقط با رقم بنویسید.",
    length: "کد ملی ۱۰ رقم و کد فراگیر اتباع خارجی ۱۲ رقم دارد. همهٔ رقم‌ها را وارد کنید.",
    equal_digits: `این کد ملی درست نیست. ${RETYPE}`,
    check_digit: `این کد ملی درست نیست. ${RETYPE}`,
  },

  identity: {
    busy: "در حال خواندن نام شما از ثبت احوال…",
    working: "دستگاه شما برای جلوگیری از سوءاستفاده محاسبه‌ای کوتاه انجام می‌دهد. لطفاً صبر کنید.",
    cannotWork: "مرورگر شما این مرحله را انجام نمی‌دهد. مرورگر را به‌روز کنید یا این صفحه را در مرورگر دیگری باز کنید.",
    matched: "نام شما از ثبت احوال خوانده شد.",
    pending: {
      /** @param {string} moment */
      closedUntil: (moment) => `ثبت احوال اکنون بسته است و ${moment} باز می‌شود.`,
      /** @type {Record<string, string>} */
      why: {
        closed: "ثبت احوال اکنون بسته است.",
        quota: "سهمیهٔ امروزِ استعلام از ثبت احوال تمام شده است.",
        unreachable: "ثبت احوال اکنون پاسخ نمی‌دهد.",
        foreign: "نام اتباع خارجی از ثبت احوال خوانده نمی‌شود.",
      },
      then: "نام خود را بنویسید و درخواست را بفرستید. هویت شما بعداً خودکار بررسی می‌شود؛ پس از تأیید، درخواست به استان می‌رود و با پیامک خبر می‌دهیم.",
      thenForeign: "نام خود را همان‌طور که در کارت یا گذرنامه است بنویسید و درخواست را بفرستید. کارشناسان استان هویت شما را از روی مدرک بررسی می‌کنند.",
    },
    readNames: "پس از وارد کردن تاریخ تولد و کد ملی، این بخش خودکار پر می‌شود.",
    typeNames: "نام، نام خانوادگی و جنسیت خود را همان‌طور که در کارت شماست وارد کنید.",
    notMatched: "تاریخ تولد و کد ملی با هم نمی‌خوانند. هر دو را بررسی و اصلاح کنید.",
    renewing: "مهلت تأیید هویت تمام شده است. نام شما دوباره از ثبت احوال خوانده می‌شود؛ لطفاً صبر کنید.",
    wait: "نام شما هنوز از ثبت احوال خوانده نشده است. چند لحظه صبر کنید و دوباره دکمه را بزنید.",
    retry: "تلاش دوباره",
    female: "زن",
    male: "مرد",
  },

  names: {
    first: "نام خود را وارد کنید.",
    last: "نام خانوادگی خود را وارد کنید.",
    gender: "جنسیت خود را انتخاب کنید.",
    letters: "نام را فقط با حروف بنویسید، بدون رقم و نشانه.",
    /** @param {number} most */
    long: (most) => `نام می‌تواند تا ${toPersian(most)} نویسه باشد. آن را کوتاه‌تر بنویسید.`,
  },

  notLoaded: "بارگذاری نشد",

  province: { missing: "استانی را که درخواست به آن مربوط است انتخاب کنید.", choose: "انتخاب کنید" },
  subject: { missing: "موضوع اصلی را انتخاب کنید.", choose: "انتخاب کنید" },
  subSubject: {
    missing: "موضوع فرعی را انتخاب کنید.",
    choose: "انتخاب کنید",
    subjectFirst: "پس از موضوع اصلی",
    /** @param {number} days */
    answerWithin: (days) => `مهلت پاسخ به این موضوع ${toPersian(days)} روز است.`,
  },

  mobile: {
    missing: "شمارهٔ تلفن همراه خود را وارد کنید.",
    wrong: "شمارهٔ همراه ۱۱ رقم است و با ۰۹ شروع می‌شود؛ مانند ۰۹۱۲۳۴۵۶۷۸۹.",
  },
  landline: { wrong: "تلفن ثابت را با ۸ رقم و بدون کد استان بنویسید." },
  email: { wrong: "نشانی ایمیل کامل نیست. آن را مانند name@example.com بنویسید." },

  text: {
    missing: "متن درخواست را بنویسید.",
    /** @param {number} least */
    short: (least) => `متن درخواست باید دست‌کم ${toPersian(least)} نویسه باشد. کمی بیشتر توضیح دهید.`,
    /** @param {number} most @param {number} over */
    long: (most, over) => `متن درخواست می‌تواند تا ${persianNumber(most)} نویسه باشد. ${persianNumber(over)} نویسه از آن کم کنید.`,
    /** @param {number} length @param {number} most */
    counter: (length, most) => `${persianNumber(length)} از ${persianNumber(most)} نویسه`,
    /** @param {number} left */
    left: (left) => `${persianNumber(left)} نویسهٔ دیگر جا دارید.`,
    /** @param {number} over */
    over: (over) => `${persianNumber(over)} نویسه بیش از اندازه است.`,
  },

  units: { bytes: "بایت", kilobytes: "کیلوبایت", megabytes: "مگابایت" },

  attachments: {
    /** @param {string} kinds @param {string} size @param {number} count */
    hint: (kinds, size, count) => `${kinds}؛ هر فایل تا ${size} و حداکثر ${toPersian(count)} فایل.`,
    /** @param {number} most */
    tooMany: (most) => `حداکثر ${toPersian(most)} فایل می‌توانید بفرستید. این فایل را حذف کنید.`,
    /** @param {string} kinds */
    forbidden: (kinds) => `این نوع فایل پذیرفته نمی‌شود. فایل ${kinds} انتخاب کنید.`,
    lying: "محتوای این فایل با پسوند نامش نمی‌خواند. آن را دوباره ذخیره کنید یا فایل دیگری انتخاب کنید.",
    empty: "این فایل خالی است. فایل دیگری انتخاب کنید.",
    /** @param {string} size */
    tooLarge: (size) => `این فایل بزرگ‌تر از ${size} است. فایل کوچک‌تری انتخاب کنید.`,
    waitingIdentity: "پس از تأیید هویت فرستاده می‌شود",
    waiting: "در نوبت ارسال",
    /** @param {number} percent */
    uploading: (percent) => `در حال ارسال… ${toPersian(percent)}٪`,
    checking: "در حال بررسی فایل…",
    sent: "فرستاده شد",
    failed: "فایل فرستاده نشد. اینترنت خود را بررسی کنید و «ارسال دوباره» را بزنید.",
    failedHere: "اکنون نمی‌توانیم فایل را بگیریم. کمی بعد «ارسال دوباره» را بزنید.",
    remove: "حذف",
    retry: "ارسال دوباره",
    /** @param {string} name */
    announceSent: (name) => `فایل ${name} فرستاده شد.`,
    /** @param {string} name @param {string} reason */
    announceFailed: (name, reason) => `فایل ${name}: ${reason}`,
    /** @param {string} name */
    announceRemoved: (name) => `فایل ${name} حذف شد.`,
    /** @param {string} name */
    progressOf: (name) => `پیشرفت ارسال ${name}`,
    notSent: "بعضی از فایل‌ها فرستاده نشده‌اند. آن‌ها را حذف کنید یا دوباره بفرستید.",
  },

  captcha: {
    missing: "کد امنیتی را وارد کنید.",
    fiveDigits: "کد امنیتی پنج رقم است. آن را همان‌طور که می‌بینید یا می‌شنوید وارد کنید.",
    wrong: "کد امنیتی درست نبود. کد تازه را وارد کنید.",
    notLoaded: "کد امنیتی بارگذاری نشده است. دکمهٔ «کد تازه» را بزنید و کد را وارد کنید.",
    loading: "در حال بارگذاری کد…",
    renewed: "کد امنیتی تازه شد. کد جدید را وارد کنید.",
    expired: "مهلت کد امنیتی تمام شد و کد تازه‌ای آمد. کد جدید را وارد کنید.",
    failed: "کد امنیتی بارگذاری نشد. دکمهٔ «کد تازه» را بزنید.",
    notPlayed: "صدا پخش نشد. دکمهٔ «پخش کد صوتی» را بزنید و صدای دستگاه را بررسی کنید.",
    /** The button that leads to the other kind. */
    other: { image: "کد صوتی", sound: "کد تصویری" },
  },

  submit: {
    idle: "ثبت درخواست",
    busy: "در حال ثبت درخواست…",
    waitingFiles: "در انتظار ارسال فایل‌ها…",
    /** Why the button is off, by the state of the identity. */
    reason: {
      idle: "برای روشن شدن دکمه، تاریخ تولد و کد ملی خود را وارد کنید تا نام شما از ثبت احوال خوانده شود.",
      busy: "نام شما در حال خوانده شدن از ثبت احوال است. لطفاً چند لحظه صبر کنید.",
      refused: "تا تاریخ تولد و کد ملی با هم نخوانند، درخواست ثبت نمی‌شود.",
      barred: "با این کد ملی نمی‌توان درخواست ثبت کرد. در بخش «مشخصات شما» نوشته‌ایم به کجا مراجعه کنید.",
      failed: "نام شما از ثبت احوال خوانده نشده است. در بخش «مشخصات شما» دکمهٔ «تلاش دوباره» را بزنید.",
      matched: "",
      pending: "",
    },
  },

  receipt: {
    title: "درخواست شما ثبت شد",
    /** @param {string} day */
    due: (day) => `حداکثر تا پایان ${day}`,
    /** @param {number} files */
    files: (files) => (files === 0 ? "ندارد" : `${toPersian(files)} فایل`),
    copied: "کد رهگیری کپی شد.",
    notCopied: "کپی نشد. لطفاً کد را یادداشت کنید.",
  },

  trackingCode: {
    missing: "کد رهگیری را وارد کنید.",
    wrong: "کد رهگیری ۱۲ رقم است. آن را از رسید یا پیامک خود بردارید.",
  },

  track: {
    idle: "پیگیری",
    busy: "در حال جست‌وجو…",
    notFound: "درخواستی با این کد ملی و کد رهگیری پیدا نشد. هر دو را بررسی کنید و با کد امنیتی تازه دوباره تلاش کنید.",
    title: "وضعیت درخواست",
    /** @param {string} day */
    due: (day) => `حداکثر تا پایان ${day}`,
    /** @type {Record<string, string>} */
    meaning: {
      identity_pending: "درخواست شما را داریم. هویت شما هنوز در ثبت احوال بررسی نشده است؛ این کار خودکار انجام می‌شود، پس از آن درخواست به استان می‌رود و با پیامک خبر می‌دهیم.",
      registered: "درخواست شما ثبت و برای کارشناسان استان فرستاده شده است.",
      received: "کارشناسان استان درخواست شما را دریافت کرده‌اند.",
      in_progress: "کارشناس در حال رسیدگی به درخواست شماست.",
      info_requested: "کارشناس برای رسیدگی به توضیح بیشتری از شما نیاز دارد. پرسش او را در همین صفحه بخوانید و پاسخ دهید.",
      answered: "پاسخ درخواست شما آماده است و در همین صفحه آمده است.",
      closed: "رسیدگی به این درخواست پایان یافته است.",
      rejected: "این درخواست پذیرفته نشد. دلیل آن در سابقه آمده است.",
      referred: "درخواست شما برای رسیدگی به استان دیگری فرستاده شد.",
      objected: "اعتراض شما ثبت شده است و درخواست دوباره بررسی می‌شود.",
      withdrawn: "شما از این درخواست انصراف داده‌اید.",
      identity_rejected: "ثبت احوال هویت شما را تأیید نکرد و درخواست به استان فرستاده نشد. دلیل آن و کاری که می‌توانید بکنید در سابقه آمده است.",
    },
    sentFiles: "فایل‌هایی که فرستادید",
    paused: "تا پاسخ شما، مهلت کارشناسان متوقف است و این تاریخ به همان اندازه جابه‌جا می‌شود.",
    overdue: "این مهلت گذشته است و تأخیر به استان یادآوری شده است. رسیدگی به درخواست شما ادامه دارد.",
    /** What the civil registry was asked for. @type {Record<string, string>} */
    lookups: {
      submit: "خواندن نام هنگام پر کردن فرم درخواست",
      confirm: "بررسی هویت پس از ثبت درخواست",
      mobile: "بررسی مالکیت شمارهٔ همراه",
    },
    otherLookup: "کاری دیگر دربارهٔ درخواست",
  },

  moves: {
    /** @param {string} day */
    objectionUntil: (day) => `تا پایان ${day} می‌توانید یک بار اعتراض کنید.`,
    /** @type {Record<string, string>} */
    question: {
      reply: "توضیح شما فرستاده شود؟",
      rate: "ارزیابی شما ثبت شود؟",
      object: "اعتراض شما ثبت شود؟",
      withdraw: "درخواست را پس می‌گیرید؟",
    },
    /** @type {Record<string, string>} */
    consequence: {
      reply: "توضیح پس از فرستادن تغییر نمی‌کند.",
      rate: "هر پاسخ را یک بار می‌توان ارزیابی کرد.",
      object: "تنها یک بار می‌توانید اعتراض کنید. درخواست دوباره بررسی می‌شود.",
      withdraw: "رسیدگی پایان می‌یابد و این کار برگشت ندارد.",
    },
    /** @type {Record<string, string>} */
    yes: { reply: "بله، فرستاده شود", rate: "بله، ثبت شود", object: "بله، اعتراض دارم", withdraw: "بله، پس می‌گیرم" },
    /** @type {Record<string, string>} */
    done: {
      reply: "توضیح شما فرستاده شد و رسیدگی ادامه می‌یابد.",
      rate: "ارزیابی شما ثبت شد. سپاسگزاریم.",
      object: "اعتراض شما ثبت شد و درخواست دوباره بررسی می‌شود.",
      withdraw: "درخواست را پس گرفتید.",
    },
    /** @type {Record<string, string>} */
    missing: { reply: "توضیح خود را بنویسید.", rate: "یک امتیاز انتخاب کنید.", object: "دلیل اعتراض خود را بنویسید." },
    busy: "در حال فرستادن…",
    again: "پیگیری دوبارهٔ درخواست",
  },

  calendar: {
    title: "انتخاب تاریخ تولد",
    month: "ماه",
    year: "سال",
    previousMonth: "ماه قبل",
    nextMonth: "ماه بعد",
    close: "بستن",
    today: "امروز",
    keys: "با کلیدهای جهت‌نما روز را و با Page Up و Page Down ماه را عوض کنید. Enter روز را برمی‌گزیند.",
  },
};
