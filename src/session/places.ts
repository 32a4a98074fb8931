import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ParameterValues } from './parameters.js';

/**
 * Where profiles are looked up: absolute paths, and addresses. Behind those that are stated comes a repository called `profiles`
 * beside the image, where there is one: an image and its profile travel together.
 * @param path makes a path absolute
 */
export function repositoryPlaces({ filename, repository_path: stated = [] }: ParameterValues, path: (given: string) => string): string[] {
  const places = stated.map((place) => (/^https?:\/\//i.test(place) ? place : path(place)));
  const image = filename === undefined ? undefined : path(filename);
  if (image === undefined || !existsSync(image)) return places;
  const beside = join(dirname(realpathSync(image)), 'profiles');
  return !places.includes(beside) && existsSync(join(beside, 'v1.0')) ? [...places, beside] : places;
}
