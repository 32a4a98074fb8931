import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Rooms and the rooms they may import from: requests go down, rows come up, nothing goes round (ARCHITECTURE.md). */
const floors = [
  { room: 'grammar', files: ['grammar/**/*.ts'], forbidden: ['**/src/**', '**/plugins/**'] },
  {
    room: 'memory',
    files: ['src/memory/**/*.ts'],
    forbidden: ['**/object/**', '**/symbols/**', '**/kernel/**', '**/plugin/**', '**/session/**', '**/query/**', '**/render/**', '**/console/**', '**/plugins/**'],
  },
  {
    room: 'object and symbols',
    files: ['src/object/**/*.ts', 'src/symbols/**/*.ts'],
    forbidden: ['**/kernel/**', '**/plugin/**', '**/session/**', '**/query/**', '**/render/**', '**/console/**', '**/plugins/**', '**/memory/image/**'],
  },
  {
    room: 'kernel',
    files: ['src/kernel/**/*.ts'],
    forbidden: ['**/plugin/**', '**/session/**', '**/query/**', '**/render/**', '**/console/**', '**/plugins/**'],
  },
  {
    room: 'session and plugin',
    files: ['src/session/**/*.ts', 'src/plugin/**/*.ts'],
    forbidden: ['**/query/**', '**/render/**', '**/console/**'],
  },
  {
    room: 'disassembler',
    files: ['src/disasm/**/*.ts'],
    forbidden: ['**/kernel/**', '**/query/**', '**/render/**', '**/console/**', '**/plugins/**'],
  },
  { room: 'api', files: ['src/api/**/*.ts'], forbidden: ['**/console/**', '**/render/**', '**/plugins/**', '**/kernel/**'] },
  { room: 'query', files: ['src/query/**/*.ts'], forbidden: ['**/console/**', '**/render/**', '**/plugins/**'] },
  { room: 'render', files: ['src/render/**/*.ts'], forbidden: ['**/console/**', '**/query/**', '**/plugins/**', '**/kernel/**'] },
  { room: 'plugins', files: ['plugins/**/*.ts'], forbidden: ['**/console/**', '**/render/**'] },
  { room: 'console', files: ['src/console/**/*.ts'], forbidden: ['**/kernel/**'] },
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'fixtures/**'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', Buffer: 'readonly', URL: 'readonly' } },
  },
  ...floors.map(({ room, files, forbidden }) => ({
    files,
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: forbidden, message: `The ${room} room may not import this (see ARCHITECTURE.md).` }] }],
    },
  })),
);
