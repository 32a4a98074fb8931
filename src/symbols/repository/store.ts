/** A place where profiles are kept under names such as `nt/GUID/F8E2…2`. */
export interface ProfileStore {
  /** for messages: a path or an address */
  readonly name: string;
  /**
   * The profile's bytes as they are kept (perhaps compressed), and where they were found; undefined where there is none.
   * Throws ProfileError where the place cannot be asked.
   */
  fetch(profile: string): Promise<{ readonly bytes: Buffer; readonly from: string } | undefined>;
}
