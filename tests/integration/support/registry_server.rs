//! A real registry, Debian's docker-registry 2.8, as a child process on a free loopback port.
//!
//! It comes in the three ways in which registries differ for a client: open over plain http, TLS with Basic auth, and
//! behind a token server (which is part of this file: docker-registry has none of its own). It is killed and its files
//! are removed when the value is dropped.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::tools::tool;

/// The one account of the registries that ask for a credential.
pub(crate) const USER: &str = "archcheck";
/// Its password.
pub(crate) const PASSWORD: &str = "correct horse";

/// Behind the token server, repositories below this prefix may be pulled without a credential.
pub(crate) const PUBLIC_PREFIX: &str = "public/";

/// A registry starts in tens of milliseconds; this only bounds the wait on a machine that is busy.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running registry.
#[derive(Debug)]
pub(crate) struct RegistryServer {
    child: Child,
    dir: tempfile::TempDir,
    address: SocketAddr,
    security: Security,
    token_server: Option<TokenServer>,
    output: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    TlsBasic,
    Token,
}

impl RegistryServer {
    /// Plain http, open to everyone.
    pub(crate) fn plain() -> Self {
        Self::start(Security::Plain)
    }

    /// https with a certificate of its own CA (see [`Self::ca_file`]) for `localhost` and 127.0.0.1, and Basic auth.
    pub(crate) fn tls_basic() -> Self {
        Self::start(Security::TlsBasic)
    }

    /// Plain http, and a Bearer challenge that leads to a token server on another port.
    ///
    /// Anyone may pull below [`PUBLIC_PREFIX`]; everything else wants [`USER`]. As on Docker Hub, a request without
    /// the right gets a token all the same, one that grants nothing; a wrong password gets 401.
    pub(crate) fn token() -> Self {
        Self::start(Security::Token)
    }

    fn start(security: Security) -> Self {
        let program = tool("docker-registry");
        let dir = tempfile::Builder::new()
            .prefix("archcheck-registry-")
            .tempdir()
            .unwrap();
        let root = dir.path();
        // Port 0: the registry says in its log which one it got, so no two tests can be given the same.
        let mut config = format!(
            "version: 0.1\n\
             log: {{level: info, formatter: json}}\n\
             storage: {{filesystem: {{rootdirectory: {root}/data}}, delete: {{enabled: true}}}}\n\
             http:\n  addr: 127.0.0.1:0\n  secret: not-secret\n",
            root = root.display(),
        );
        let mut token_server = None;
        match security {
            Security::Plain => {}
            Security::TlsBasic => {
                make_server_certificate(root);
                // -B: bcrypt is the only hash that the registry accepts; -C 4: its lowest cost.
                let account = run(Command::new(tool("htpasswd"))
                    .args(["-n", "-b", "-B", "-C", "4", USER, PASSWORD]))
                .stdout;
                std::fs::write(root.join("htpasswd"), account).unwrap();
                write!(
                    config,
                    "  tls: {{certificate: {root}/server.crt, key: {root}/server.key}}\n\
                     auth: {{htpasswd: {{realm: archcheck test, path: {root}/htpasswd}}}}\n",
                    root = root.display(),
                )
                .unwrap();
            }
            Security::Token => {
                let server = TokenServer::start(root);
                writeln!(
                    config,
                    "auth: {{token: {{realm: \"{}\", service: {SERVICE}, issuer: {ISSUER}, \
                     rootcertbundle: {}/token.crt}}}}",
                    server.realm(),
                    root.display(),
                )
                .unwrap();
                token_server = Some(server);
            }
        }
        let config_file = root.join("config.yml");
        std::fs::write(&config_file, config).unwrap();

        let mut command = Command::new(program);
        // REGISTRY_… variables override the configuration, OTEL_… would make it report somewhere.
        command
            .env_clear()
            .env("HOME", root)
            .args(["serve".as_ref(), config_file.as_os_str()]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(Vec::new()));
        let (sender, addresses) = channel();
        // The access log goes to stdout, everything else to stderr. Both must be read, or the registry would block.
        follow(child.stdout.take().unwrap(), &output, None);
        follow(child.stderr.take().unwrap(), &output, Some(sender));
        let Some(address) = wait_for_address(&addresses) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!(
                "docker-registry did not start:\n{}",
                output.lock().unwrap().join("\n")
            );
        };
        Self {
            child,
            dir,
            address,
            security,
            token_server,
            output,
        }
    }

    /// `127.0.0.1:PORT`, the first part of a reference to an image in it.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The port, for the names under which 127.0.0.1 can be reached as well.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// A full reference: `reference("team/app:v1")` is `127.0.0.1:PORT/team/app:v1`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The CA that signed the certificate, as PEM. Only with TLS.
    pub(crate) fn ca_file(&self) -> PathBuf {
        assert_eq!(
            self.security,
            Security::TlsBasic,
            "only the TLS registry has a CA"
        );
        self.dir.path().join("ca/ca.crt")
    }

    /// A Docker `config.json` that holds the account for this registry.
    pub(crate) fn docker_config(&self) -> String {
        use base64::Engine as _;
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
        serde_json::json!({"auths": {self.host(): {"auth": auth}}}).to_string()
    }

    /// What was asked of the token server until now.
    pub(crate) fn token_requests(&self) -> Vec<TokenRequest> {
        self.token_server
            .as_ref()
            .map_or_else(Vec::new, |server| server.requests.lock().unwrap().clone())
    }

    /// The requests that the registry has answered, as its access log has them: `GET /v2/app/manifests/v1 200`. It is
    /// written after the answer, so that the last line is waited for.
    pub(crate) fn requests(&self) -> Vec<String> {
        // A line is written after its answer was sent: the log has to have been quiet for a moment.
        let lines = || self.output.lock().unwrap().len();
        let mut seen = lines();
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(300));
            let now = lines();
            if now == seen {
                break;
            }
            seen = now;
        }
        self.output
            .lock()
            .unwrap()
            .iter()
            .filter_map(|line| access_log_entry(line))
            .collect()
    }

    /// Everything that the registry has printed, for the message of a failing test.
    pub(crate) fn log(&self) -> String {
        self.output.lock().unwrap().join("\n")
    }

    /// Copies the image tagged `tag` out of an OCI layout with skopeo, an index with all that it lists.
    ///
    /// skopeo refuses some shapes that registries hold; [`Self::push_bytes`] takes any.
    pub(crate) fn push(&self, layout: &Path, tag: &str, name: &str) {
        let source = format!("oci:{}:{tag}", layout.display());
        let target = format!("docker://{}", self.reference(name));
        let mut command = self.skopeo("copy", "--dest-");
        command.args(["--quiet", "--all", &source, &target]);
        run(&mut command);
    }

    /// The manifest or index under a name, byte for byte, as skopeo receives it.
    pub(crate) fn inspect_raw(&self, name: &str) -> Vec<u8> {
        let mut command = self.skopeo("inspect", "--");
        command.args(["--raw", &format!("docker://{}", self.reference(name))]);
        run(&mut command).stdout
    }

    /// The same without a credential; an error holds what skopeo printed.
    pub(crate) fn inspect_raw_anonymously(&self, name: &str) -> Result<Vec<u8>, String> {
        let mut command = self.skopeo_anonymous("inspect", "--");
        command.args(["--raw", &format!("docker://{}", self.reference(name))]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// skopeo with this registry's account.
    fn skopeo(&self, verb: &str, prefix: &str) -> Command {
        let mut command = self.skopeo_anonymous(verb, prefix);
        if self.security != Security::Plain {
            command.arg(format!("{prefix}creds={USER}:{PASSWORD}"));
        }
        command
    }

    /// skopeo that trusts this registry, isolated from the configuration of whoever runs the tests.
    fn skopeo_anonymous(&self, verb: &str, prefix: &str) -> Command {
        let root = self.dir.path();
        let mut command = Command::new(tool("skopeo"));
        command
            .env("REGISTRY_AUTH_FILE", root.join("no-auth.json"))
            .env("CONTAINERS_REGISTRIES_CONF", "/dev/null");
        command.args(["--insecure-policy", verb]);
        match self.security {
            Security::Plain | Security::Token => command.arg(format!("{prefix}tls-verify=false")),
            Security::TlsBasic => {
                command.arg(format!("{prefix}cert-dir={}", root.join("ca").display()))
            }
        };
        command
    }

    /// Uploads the blob or manifest of a layout, and what it refers to, as the bytes are. Only for [`Self::plain`].
    ///
    /// What the layout lacks is left out; the registry itself refuses an index whose manifests it does not have.
    pub(crate) fn push_bytes(
        &self,
        layout: &Path,
        digest: &str,
        repository: &str,
        tag: Option<&str>,
    ) {
        assert_eq!(
            self.security,
            Security::Plain,
            "push_bytes speaks plain http without a credential"
        );
        let bytes = std::fs::read(layout.join("blobs").join(digest.replacen(':', "/", 1))).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for entry in document["manifests"].as_array().into_iter().flatten() {
            self.push_bytes(layout, entry["digest"].as_str().unwrap(), repository, None);
        }
        for entry in document["layers"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(document.get("config"))
        {
            let digest = entry["digest"].as_str().unwrap();
            let blob =
                std::fs::read(layout.join("blobs").join(digest.replacen(':', "/", 1))).unwrap();
            let (_, head) = self.http(
                "POST",
                &format!("/v2/{repository}/blobs/uploads/"),
                "text/plain",
                &[],
                202,
            );
            let location = header(&head, "location").expect("an upload has a location");
            let path = location
                .strip_prefix(&format!("http://{}", self.address))
                .unwrap_or(&location)
                .to_owned();
            self.http(
                "PUT",
                &format!("{path}&digest={digest}"),
                "application/octet-stream",
                &blob,
                201,
            );
        }
        let media_type = document["mediaType"]
            .as_str()
            .unwrap_or("application/vnd.docker.distribution.manifest.v1+json");
        let path = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(digest));
        self.http("PUT", &path, media_type, &bytes, 201);
    }

    /// Deletes a manifest, as a clean-up job does. Only for [`Self::plain`].
    pub(crate) fn delete(&self, repository: &str, digest: &str) {
        let path = format!("/v2/{repository}/manifests/{digest}");
        self.http("DELETE", &path, "text/plain", &[], 202);
    }

    /// One request over a connection of its own; returns the body and the head.
    fn http(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
        expected: u16,
    ) -> (Vec<u8>, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(START_LIMIT)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let split = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("an HTTP answer");
        let head = String::from_utf8_lossy(&answer[..split]).into_owned();
        let body = answer.split_off(split + 4);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        assert_eq!(
            status,
            Some(expected),
            "{method} {path}: {head}\n{}",
            String::from_utf8_lossy(&body)
        );
        (body, head)
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}

/// Collects a stream's lines; sends the address once the registry says that it listens.
fn follow(
    stream: impl Read + Send + 'static,
    output: &Arc<Mutex<Vec<String>>>,
    addresses: Option<Sender<SocketAddr>>,
) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // "listening on 127.0.0.1:40123" or "listening on 127.0.0.1:40123, tls"
            let address = line.split_once("listening on ").and_then(|(_, rest)| {
                rest.split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())
                    .next()?
                    .parse()
                    .ok()
            });
            output.lock().unwrap().push(line);
            if let (Some(sender), Some(address)) = (&addresses, address) {
                let _ = sender.send(address);
            }
        }
    });
}

/// Waits until the registry answers HTTP. `None` when it ends before that, or takes too long.
fn wait_for_address(addresses: &Receiver<SocketAddr>) -> Option<SocketAddr> {
    // An error also means that stderr was closed: the process has ended.
    let address = addresses.recv_timeout(START_LIMIT).ok()?;
    // It listens, so this waits in the backlog at worst. A TLS server answers plain http with a 400 in plain text.
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(START_LIMIT)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut start = [0; 5];
    stream.read_exact(&mut start).ok()?;
    (&start == b"HTTP/").then_some(address)
}

/// `METHOD PATH STATUS` out of a line in Apache's combined format.
fn access_log_entry(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("] \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let (request, _protocol) = request.rsplit_once(' ')?;
    let status = rest.split(' ').next()?;
    // The question whether it is up yet is ours.
    (request != "GET /").then(|| format!("{request} {status}"))
}

fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// Makes `ca/ca.crt`, `server.crt` and `server.key`. The CA has a directory of its own, as skopeo's `--cert-dir` wants.
fn make_server_certificate(root: &Path) {
    // A config of our own: openssl's default one marks every self-signed certificate as a CA, which rustls refuses
    // for a server.
    let config = root.join("openssl.cnf");
    std::fs::write(
        &config,
        "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = archcheck test\n\
         [ca]\nbasicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n\
         [server]\nbasicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature\n\
         extendedKeyUsage = serverAuth\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n",
    )
    .unwrap();
    let ca = root.join("ca");
    std::fs::create_dir(&ca).unwrap();
    let (ca_crt, ca_key) = (ca.join("ca.crt"), root.join("ca.key"));
    make_certificate(root, "ca", &ca_key, &ca_crt, None);
    make_certificate(
        root,
        "server",
        &root.join("server.key"),
        &root.join("server.crt"),
        Some((&ca_crt, &ca_key)),
    );
}

fn make_certificate(
    root: &Path,
    section: &str,
    key: &Path,
    crt: &Path,
    issuer: Option<(&Path, &Path)>,
) {
    let mut command = Command::new(tool("openssl"));
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]);
    command.args([
        "-subj",
        &format!("/CN=archcheck test {section}"),
        "-extensions",
        section,
        "-config",
    ]);
    command
        .arg(root.join("openssl.cnf"))
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(crt);
    if let Some((ca_crt, ca_key)) = issuer {
        command.arg("-CA").arg(ca_crt).arg("-CAkey").arg(ca_key);
    }
    run(&mut command);
}

// --- The token server -----------------------------------------------------------------------------------------------

const SERVICE: &str = "archcheck-test-registry";
const ISSUER: &str = "archcheck-test-issuer";

/// One question to the token server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRequest {
    /// The `service` parameter.
    pub(crate) service: String,
    /// The `scope` parameters in their order, e.g. `repository:team/app:pull`.
    pub(crate) scopes: Vec<String>,
    /// Whether a credential came along, right or wrong.
    pub(crate) with_credential: bool,
}

#[derive(Debug)]
struct TokenServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<TokenRequest>>>,
    // Dropping the sender ends the server.
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl TokenServer {
    fn start(root: &Path) -> Self {
        std::fs::write(
            root.join("openssl.cnf"),
            "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = archcheck test\n\
             [token]\nbasicConstraints = critical, CA:false\nkeyUsage = critical, digitalSignature\n",
        )
        .unwrap();
        let (key, crt) = (root.join("token.key"), root.join("token.crt"));
        // Self-signed: the registry trusts this very certificate (rootcertbundle), which each token carries as x5c.
        make_certificate(root, "token", &key, &crt, None);
        let signer = Arc::new(Signer::new(&key, &crt));

        let requests = Arc::new(Mutex::new(Vec::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let log = Arc::clone(&requests);
        // A thread with a runtime of its own, so that tests that are not async can use it as well.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let answer = move |query: axum::extract::Query<Vec<(String, String)>>,
                                   headers: axum::http::HeaderMap| {
                    let (signer, log) = (Arc::clone(&signer), Arc::clone(&log));
                    async move { answer_token_request(&signer, &log, &query.0, &headers) }
                };
                let app = axum::Router::new().route("/token", axum::routing::get(answer));
                tokio::select! {
                    result = axum::serve(listener, app) => result.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            requests,
            _stop: stop,
        }
    }

    fn realm(&self) -> String {
        format!("http://{}/token", self.address)
    }
}

fn answer_token_request(
    signer: &Signer,
    log: &Mutex<Vec<TokenRequest>>,
    query: &[(String, String)],
    headers: &axum::http::HeaderMap,
) -> (axum::http::StatusCode, axum::Json<serde_json::Value>) {
    use axum::http::{StatusCode, header::AUTHORIZATION};
    use base64::Engine as _;

    let values = |name: &'static str| {
        query
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let service = values("service").next().unwrap_or_default().to_owned();
    // A value may hold several scopes, separated by blanks.
    let scopes: Vec<String> = values("scope")
        .flat_map(|value| value.split(' '))
        .map(str::to_owned)
        .collect();
    let credential = headers.get(AUTHORIZATION);
    log.lock().unwrap().push(TokenRequest {
        service: service.clone(),
        scopes: scopes.clone(),
        with_credential: credential.is_some(),
    });

    let right = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"))
    );
    if credential.is_some_and(|sent| sent.as_bytes() != right.as_bytes()) {
        return (
            StatusCode::UNAUTHORIZED,
            axum::Json(serde_json::json!({"details": "incorrect username or password"})),
        );
    }
    if service != SERVICE {
        return (
            StatusCode::BAD_REQUEST,
            axum::Json(serde_json::json!({"details": "unknown service"})),
        );
    }
    let access: Vec<_> = scopes
        .iter()
        .filter_map(|scope| granted(scope, credential.is_some()))
        .collect();
    let token = signer.token(if credential.is_some() { USER } else { "" }, &access);
    (
        StatusCode::OK,
        axum::Json(serde_json::json!({"token": token, "expires_in": 300})),
    )
}

/// What a scope is granted: everything to the account, pull of public repositories to anyone.
fn granted(scope: &str, account: bool) -> Option<serde_json::Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let public = kind == "repository" && name.starts_with(PUBLIC_PREFIX);
    let actions: Vec<_> = actions
        .split(',')
        .filter(|action| account || (public && *action == "pull"))
        .collect();
    (!actions.is_empty())
        .then(|| serde_json::json!({"type": kind, "name": name, "actions": actions}))
}

/// Signs tokens as docker-registry 2.8 verifies them: ES256 with the certificate in the header.
struct Signer {
    key: ring::signature::EcdsaKeyPair,
    certificate: String,
    random: ring::rand::SystemRandom,
}

impl Signer {
    fn new(key: &Path, certificate: &Path) -> Self {
        use base64::Engine as _;
        use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
        let random = ring::rand::SystemRandom::new();
        let der = base64::engine::general_purpose::STANDARD
            .decode(pem_body(key))
            .unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).unwrap();
        Self {
            key,
            certificate: pem_body(certificate),
            random,
        }
    }

    fn token(&self, subject: &str, access: &[serde_json::Value]) -> String {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let header = serde_json::json!({"typ": "JWT", "alg": "ES256", "x5c": [self.certificate]});
        let claims = serde_json::json!({
            "iss": ISSUER,
            "sub": subject,
            "aud": SERVICE,
            "nbf": now - 10,
            "iat": now,
            "exp": now + 300,
            "jti": format!("{now}"),
            "access": access,
        });
        let mut token = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.key.sign(&self.random, token.as_bytes()).unwrap();
        write!(token, ".{}", URL_SAFE_NO_PAD.encode(signature.as_ref())).unwrap();
        token
    }
}

/// The base64 of a PEM file that holds one object.
fn pem_body(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}
