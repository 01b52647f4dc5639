/** A set-up that cannot go on. The message is for the person at the keyboard and holds the commands to run. */
export class SetupProblem extends Error {
  /** @override */
  name = 'SetupProblem';
}
