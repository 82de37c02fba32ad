/** Verification of incoming requests in Jakarta Servlet containers. */
package dev.gatepass.servlet;
