/** The main job, run as a person runs it. */
package org.stellaops.backup.examples.quickstart;
