/** The version of gatepass, the same in all its packages: known before anything native is loaded. */
export const version = '0.1.0';
