"""What every service process starts with: settings from the environment, logs as JSON, addresses it may listen on."""
