//! How often and how many at a time.

use super::*;

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_will_not_is_not() {
    let server = Server::start().await;
    server.on(
        "/v2/a/manifests/flaky",
        Reply::new(503, "").header("retry-after", "0").once(),
    );
    server.image("a", Some("flaky"), "arm64");
    assert!(
        client()
            .resolved(&server.reference("a:flaky"))
            .await
            .result
            .is_ok()
    );
    server.on("/v2/a/manifests/denied", Reply::new(403, ""));
    let before = server.log().len();
    let _ = error_of(&server, "a:denied").await;
    assert_eq!(server.log().len() - before, 1);
}

#[tokio::test]
async fn a_host_that_does_not_answer_holds_up_nothing() {
    let server = Server::start().await;
    server.on(
        "/v2/a/manifests/slow",
        Reply {
            delay: Duration::from_secs(60),
            ..Reply::new(200, "")
        },
    );
    let quick = RegistryOptions {
        request_timeout: Duration::from_millis(200),
        ..options()
    };
    let client = Registry::new(&quick).unwrap().0;
    let error = client
        .resolved(&server.reference("a:slow"))
        .await
        .result
        .unwrap_err();
    assert!(matches!(error, ImageError::TimedOut { .. }), "{error}");
    // Nobody listens there: after three failures the rest is told at once.
    let started = std::time::Instant::now();
    let dead: Vec<ImageRef> = (0..50)
        .map(|n| ImageRef::parse(&format!("127.0.0.1:1/a:{n}")).unwrap())
        .collect();
    let answers = futures::future::join_all(dead.iter().map(|r| client.resolved(r))).await;
    assert!(
        answers
            .iter()
            .all(|a| matches!(a.result, Err(ImageError::Unreachable { .. }))),
        "{answers:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_host_is_never_asked_more_than_eight_things_at_a_time() {
    let server = Server::start().await;
    let index = json!({"manifests": []}).to_string();
    for n in 0..60 {
        let slow = Reply {
            delay: Duration::from_millis(20),
            ..Reply::new(200, index.clone())
        };
        server.on(&format!("/v2/a{n}/manifests/latest"), slow);
    }
    let client = client();
    let references: Vec<ImageRef> = (0..60)
        .map(|n| server.reference(&format!("a{n}")))
        .collect();
    let answers = futures::future::join_all(references.iter().map(|r| client.resolved(r))).await;
    assert!(answers.iter().all(|a| a.result.is_ok()));
    assert_eq!(server.script.most_at_once.load(Ordering::SeqCst), 8);
}
