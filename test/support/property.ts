import fc from 'fast-check';

/**
 * Properties are tried on the same values in every run, so that a run tells of a change and not of chance. `REKALL_SEED=N` tries others.
 */
fc.configureGlobal({ seed: Number(process.env['REKALL_SEED'] ?? 20261125) });

export default fc;
