// The overlay's own words. Russian unless the address says ?lang=en.

const RU = {
  lang: "ru",
  anonymous: "Аноним",
  goalReached: "Цель собрана!",
  tags: { test: "тест", replay: "повтор" },
  donations: (count) => `${count}\u00a0${{ one: "донат", few: "доната" }[plural("ru", count)] ?? "донатов"}`,
  refused: {
    no_token: "В адресе нет ключа. Скопируйте адрес оверлея целиком из панели СтримКэш.",
    revoked: "Этот адрес больше не действует. Скопируйте новый в панели СтримКэш и вставьте его в источник OBS.",
    unknown_token: "Такого адреса нет. Скопируйте адрес оверлея целиком из панели СтримКэш и вставьте его в источник OBS.",
    too_many: "Оверлей открыт слишком много раз. Закройте лишние источники и вкладки.",
    moved: "У оверлея новый адрес. Скопируйте его в панели СтримКэш и вставьте в источник OBS вместо этого.",
    other: "Оверлей не может подключиться. Обновите источник в OBS.",
  },
  lost: "Нет связи с СтримКэш, подключаемся снова. Алерты дождутся.",
  preview: {
    speaker:
      "OBS не подключён, поэтому алерты играют в этой вкладке. Показанное здесь в OBS уже не повторится: чтобы донаты дождались OBS, закройте вкладку.",
    mirror: "Предпросмотр: алерты играют в OBS, здесь видна их копия без звука.",
  },
  click: "Нажмите на страницу, чтобы включить звук.",
  dashboard: "Открыть панель",
};

const EN = {
  lang: "en",
  anonymous: "Anonymous",
  goalReached: "Goal reached!",
  tags: { test: "test", replay: "again" },
  donations: (count) => `${count}\u00a0${plural("en", count) === "one" ? "donation" : "donations"}`,
  refused: {
    no_token: "The address has no key. Copy the whole overlay address from your StreamCash dashboard.",
    revoked: "This address is no longer valid. Copy the new one from your dashboard and paste it into the OBS source.",
    unknown_token: "There is no such address. Copy the whole overlay address from your dashboard into the OBS source.",
    too_many: "The overlay is open too many times. Close sources and tabs you do not need.",
    moved: "The overlay has a new address. Copy it from your StreamCash dashboard into the OBS source in place of this one.",
    other: "The overlay cannot connect. Refresh the source in OBS.",
  },
  lost: "No connection to StreamCash, trying again. Alerts will wait.",
  preview: {
    speaker:
      "OBS is not connected, so alerts play in this tab. What is shown here does not play again in OBS: close the tab to let donations wait for OBS.",
    mirror: "Preview: alerts play in OBS, this is a silent copy.",
  },
  click: "Click the page to turn the sound on.",
  dashboard: "Open the dashboard",
};

export function pickWords(lang) {
  return lang === "en" ? EN : RU;
}

function plural(lang, count) {
  return new Intl.PluralRules(lang).select(count);
}
