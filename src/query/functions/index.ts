import { aggregateFunctions } from './aggregates.js';
import { byteFunctions } from './bytes.js';
import { conversionFunctions } from './conversion.js';
import { FunctionLibrary } from './library.js';
import { listFunctions } from './lists.js';
import { logicFunctions } from './logic.js';
import { networkFunctions } from './network.js';
import { numberFunctions } from './numbers.js';
import { objectFunctions } from './objects.js';
import { patternFunctions } from './patterns.js';
import { textFunctions } from './text.js';
import { timeFunctions } from './time.js';

/** All functions that queries know. */
export const library = new FunctionLibrary([
  ...conversionFunctions,
  ...textFunctions,
  ...patternFunctions,
  ...numberFunctions,
  ...timeFunctions,
  ...listFunctions,
  ...logicFunctions,
  ...byteFunctions,
  ...objectFunctions,
  ...networkFunctions,
  ...aggregateFunctions,
]);
