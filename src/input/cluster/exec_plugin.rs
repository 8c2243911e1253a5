//! Credential plugins of kubeconfigs (client-go `plugin/pkg/client/auth/exec/exec.go`). kube-rs would run one for every
//! part of a client, three times and more; kubectl runs it once, and so do we: some take seconds, or ask the user.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Read as _};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;

/// A credential larger than this is none.
const LARGEST_CREDENTIAL: u64 = 1024 * 1024;

/// Why a plugin gave no credential. Never holds what the plugin printed, which may be one.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The kubeconfig names no program.
    #[error("the kubeconfig's exec section names no command")]
    NoCommand,
    /// `interactiveMode: Always`, as in kubectl.
    #[error("the credential plugin {0} must ask you something, and standard input is no terminal")]
    NotATerminal(String),
    /// The program isn't there, or can't be run.
    #[error("the credential plugin {command} could not be run: {source}")]
    Start {
        /// The program.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ran and failed.
    #[error("the credential plugin {command} failed with {status}")]
    Failed {
        /// The program.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// What it printed is no credential.
    #[error("the credential plugin {command} gave no credential that can be used: {detail}")]
    Output {
        /// The program.
        command: String,
        /// What is wrong.
        detail: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    api_version: String,
    kind: String,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the user's plugin, if there is one, and puts what it gives in its place. Blocks. Says whether there was one.
///
/// # Errors
/// When the plugin gives no credential.
pub(super) fn log_in(user: &mut AuthInfo, cluster: &Cluster) -> Result<bool, PluginError> {
    let Some(plugin) = user.exec.take() else {
        return Ok(false);
    };
    let command = plugin.command.clone().ok_or(PluginError::NoCommand)?;
    let unusable = |detail| PluginError::Output {
        command: command.clone(),
        detail,
    };
    let output = run(&plugin, &command, cluster)?;
    // JSON, or YAML, which client-go takes as well.
    let credential: ExecCredential =
        serde_saphyr::from_slice(&output).map_err(|_| unusable("it is no ExecCredential"))?;
    let wanted = plugin.api_version.as_deref().unwrap_or_default();
    if credential.kind != "ExecCredential" || credential.api_version != wanted {
        return Err(unusable(
            "it has another apiVersion or kind than was asked for",
        ));
    }
    let status = credential.status.unwrap_or_default();
    let pair = (&status.client_certificate_data, &status.client_key_data);
    let mut given = serde_json::Map::new();
    match pair {
        (Some(certificate), Some(key)) => {
            given.insert(
                "client-certificate-data".to_owned(),
                STANDARD.encode(certificate).into(),
            );
            given.insert("client-key-data".to_owned(), STANDARD.encode(key).into());
        }
        (None, None) => {}
        _ => {
            return Err(unusable(
                "it has a certificate without a key, or a key without a certificate",
            ));
        }
    }
    if let Some(token) = status.token {
        given.insert("token".to_owned(), token.into());
    }
    if given.is_empty() {
        return Err(unusable("it has neither a token nor a certificate"));
    }
    // The types that kube-rs keeps secrets in are another crate's; JSON is the way in.
    let given: AuthInfo = serde_json::from_value(given.into())
        .map_err(|_| unusable("its token or certificate can't be read"))?;
    if given.token.is_some() {
        user.token = given.token;
        user.token_file = None;
    }
    if given.client_key_data.is_some() {
        user.client_certificate = None;
        user.client_certificate_data = given.client_certificate_data;
        user.client_key = None;
        user.client_key_data = given.client_key_data;
    }
    Ok(true)
}

fn run(plugin: &ExecConfig, command: &str, cluster: &Cluster) -> Result<Vec<u8>, PluginError> {
    let start = |source| PluginError::Start {
        command: command.to_owned(),
        source,
    };
    let terminal = std::io::stdin().is_terminal();
    let interactive = match plugin.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !terminal => {
            return Err(PluginError::NotATerminal(command.to_owned()));
        }
        _ => terminal,
    };
    let told = plugin
        .provide_cluster_info
        .then(|| ExecAuthCluster::try_from(cluster).ok())
        .flatten();
    let info = json!({
        "kind": "ExecCredential",
        "apiVersion": plugin.api_version,
        "spec": {"interactive": interactive, "cluster": told},
    });
    let variable =
        |one: &HashMap<String, String>| Some((one.get("name")?.clone(), one.get("value")?.clone()));
    let mut child = Command::new(command)
        .args(plugin.args.iter().flatten())
        .envs(plugin.env.iter().flatten().filter_map(variable))
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(if interactive {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .spawn()
        .map_err(start)?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout
            .take(LARGEST_CREDENTIAL)
            .read_to_end(&mut output)
            .map_err(start)?;
    }
    let status = child.wait().map_err(start)?;
    if !status.success() {
        return Err(PluginError::Failed {
            command: command.to_owned(),
            status,
        });
    }
    Ok(output)
}
