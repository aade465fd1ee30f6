/** The stream broke the format's rules, or ended early. */
export class WireError extends Error {
  /**
   * @param {string} message
   * @param {string} [code]
   */
  constructor(message, code = 'bad_stream') {
    super(message);
    this.code = code;
  }
}
