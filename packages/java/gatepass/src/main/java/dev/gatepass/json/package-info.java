/** Text as it crosses the border. */
package dev.gatepass.json;
