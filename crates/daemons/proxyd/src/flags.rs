//! The command line. Its flags are the static configuration's keys with dots, so they are read by [`crate::Options`].

use clap::Parser;

/// A reverse proxy that reads Traefik's configuration.
#[derive(Debug, Clone, Default, Parser)]
#[command(
    name = "proxyd",
    version,
    after_help = "Flags are keys of the static configuration, whatever their case:\n  \
        --configFile=traefik.yml                     the static configuration\n  \
        --entryPoints.websecure.address=:8443        any of its keys; overrides the file\n  \
        --providers.file.directory=dynamic\n  \
        --log.level=debug\n\
        and of this program:\n  \
        --dataDir=data/proxyd                        where the self-signed default certificate is kept\n  \
        --hosts.prometheus=127.0.0.1:9090            address of a server's host name, whatever its port"
)]
pub struct Flags {
    /// `--key=value` or `--key value`, as below.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, num_args = 0.., value_name = "FLAGS")]
    pub arguments: Vec<String>,
}
