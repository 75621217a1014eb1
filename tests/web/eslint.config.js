/**
 * What Chrome 90 does not have. Scripts: web APIs by MDN's tables, and the syntax and APIs those tables or the types of ES2021
 * (gateway/tsconfig.json) let pass. Styles: what was not in every browser by 2021, but for what Chrome 90 has or does well without.
 */

import css from "@eslint/css";
import compat from "eslint-plugin-compat";

const NEWER_SYNTAX = [
  { selector: "StaticBlock", message: "Static blocks came with Chrome 94." },
  { selector: "BinaryExpression[left.type='PrivateIdentifier']", message: "`#name in object` came with Chrome 91." },
];

const NEWER_PROPERTIES = [
  { object: "AbortSignal", property: "timeout", message: "It came with Chrome 103." },
  { object: "AbortSignal", property: "any", message: "It came with Chrome 116." },
  { object: "URL", property: "canParse", message: "It came with Chrome 120." },
  { object: "document", property: "startViewTransition", message: "It came with Chrome 111." },
  { property: "inert", message: "It came with Chrome 102." },
  { property: "showPopover", message: "Popovers came with Chrome 114." },
  { property: "checkVisibility", message: "It came with Chrome 105." },
  { property: "showPicker", message: "It came with Chrome 99." },
];

const CHROME_90_HAS = {
  allowAtRules: ["page"],
  allowMediaConditions: ["forced-colors"],
  allowProperties: ["appearance", "clip", "color-scheme", "forced-color-adjust", "outline", "overscroll-behavior", "resize", "text-size-adjust"],
  allowPropertyValues: { "overflow-wrap": ["anywhere"] },
  allowSelectors: ["backdrop", "focus-visible", "marker"],
};
const IT_DOES_WITHOUT = {
  media: ["prefers-contrast"], // users of more contrast have a newer browser
  properties: ["accent-color", "text-wrap"],
  values: { "font-family": ["ui-monospace"] },
};

export default [
  { ignores: ["**/assets/bundles/**", "**/assets/npm/**"] },
  {
    ...compat.configs["flat/recommended"],
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module" },
    settings: { browsers: ["chrome 90"] },
    rules: {
      "compat/compat": "error",
      "no-restricted-syntax": ["error", ...NEWER_SYNTAX],
      "no-restricted-properties": ["error", ...NEWER_PROPERTIES],
    },
  },
  {
    files: ["**/*.css"],
    plugins: { css },
    language: "css/css",
    rules: {
      "css/use-baseline": [
        "error",
        {
          available: 2021,
          ...CHROME_90_HAS,
          allowMediaConditions: [...CHROME_90_HAS.allowMediaConditions, ...IT_DOES_WITHOUT.media],
          allowProperties: [...CHROME_90_HAS.allowProperties, ...IT_DOES_WITHOUT.properties],
          allowPropertyValues: { ...CHROME_90_HAS.allowPropertyValues, ...IT_DOES_WITHOUT.values },
        },
      ],
    },
  },
];
