/**
 * What carries out the core's steps, and how callers wait: nothing here decides, and nothing here knows the rest of the
 * package.
 */
package dev.gatepass.driver;
