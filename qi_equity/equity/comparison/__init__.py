"""All groups or sites at one time: funnels, analysis of means, partial pooling."""
