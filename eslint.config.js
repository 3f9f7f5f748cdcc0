// The house rules for JavaScript: nothing undefined, nothing unused, elements stay small.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["static/build/**", "node_modules/**"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: "module" },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-implied-eval": "error",
      "no-eval": "error",
      eqeqeq: "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["static/js/**/*.js"],
    languageOptions: { globals: { ...globals.browser, htmx: "readonly" } },
    // One behaviour, one custom element, small enough to read at a glance.
    rules: { "max-lines": ["error", { max: 80, skipBlankLines: true, skipComments: true }] },
  },
  { files: ["static/js/theme.js"], languageOptions: { sourceType: "script" } },
  { files: ["static/src/**/*.js"], languageOptions: { globals: { ...globals.browser } } },
  { files: ["**/*.mjs", "*.config.js"], languageOptions: { globals: { ...globals.node } } },
];
