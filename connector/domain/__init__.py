"""Plain frozen types that every room speaks in; they import no one and do no input or output."""
