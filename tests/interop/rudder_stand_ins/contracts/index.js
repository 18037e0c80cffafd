// @rudderjs/passport takes only types from here, so nothing is left at run time.
