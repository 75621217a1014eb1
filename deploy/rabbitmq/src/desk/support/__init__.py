"""``desk-support bundle``: the state of the desk in one archive, for those who help its operators."""
