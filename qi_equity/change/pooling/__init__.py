"""Pool the changes of sites: per group, and of each gap."""
