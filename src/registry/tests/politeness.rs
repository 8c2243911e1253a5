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

async fn errors(client: &Registry, images: &[ImageRef]) -> Vec<String> {
    let answers =
        futures::future::join_all(images.iter().map(|image| client.resolved(image))).await;
    let errors = answers.into_iter().filter_map(|answer| answer.result.err());
    errors.map(|error| error.to_string()).collect()
}

#[tokio::test]
async fn pulls_stop_before_they_are_used_up_and_the_rest_is_told() {
    let server = Server::start().await;
    *server.script.pulls.lock().unwrap() = Some(12);
    let images: Vec<ImageRef> = (0..30)
        .map(|n| {
            // No two are alike, and each is an index: one pull.
            let index = json!({"manifests": [], "annotations": {"n": n.to_string()}});
            server.document(&format!("a{n}"), "manifests", Some("t"), &index);
            server.reference(&format!("a{n}:t"))
        })
        .collect();
    let errors = errors(&client(), &images).await;
    // The first GET tells that pulls are counted; one is left for the nodes.
    assert_eq!(errors.len(), 30 - 11, "{errors:?}");
    assert!(errors.iter().all(|error| {
        error.ends_with(" allows 100 pulls in 6 h, and none is left to spare; scan the rest in 6 h")
    }));
    assert_eq!(*server.script.pulls.lock().unwrap(), Some(1));
    let pulls = server.log().len() - server.count("HEAD");
    assert_eq!(pulls, 11, "{:?}", server.log());
}

#[tokio::test]
async fn where_pulls_are_counted_two_tags_of_one_digest_are_pulled_once() {
    let server = Server::start().await;
    *server.script.pulls.lock().unwrap() = Some(100);
    let index = json!({"manifests": []});
    for tag in ["first", "1", "1.2", "1.2.3", "latest"] {
        server.document("a", "manifests", Some(tag), &index);
    }
    let client = client();
    let read = async |tag: &str| {
        let image = server.reference(&format!("a:{tag}"));
        client.resolved(&image).await.result.unwrap()
    };
    let first = read("first").await;
    let (a, b, c, d) = tokio::join!(read("1"), read("1.2"), read("1.2.3"), read("latest"));
    assert!([a, b, c, d].iter().all(|facts| *facts == first));
    let log = server.log();
    let asked = log.iter().map(|line| line.strip_suffix(" []").unwrap());
    let mut asked: Vec<&str> = asked.collect();
    asked.sort_unstable();
    let by_digest = format!("/v2/a/manifests/{}", first.digest);
    assert_eq!(
        asked,
        [
            "/v2/a/manifests/first",
            by_digest.as_str(),
            "HEAD /v2/a/manifests/1",
            "HEAD /v2/a/manifests/1.2",
            "HEAD /v2/a/manifests/1.2.3",
            "HEAD /v2/a/manifests/latest",
        ]
    );
}

#[tokio::test]
async fn used_up_pulls_are_asked_for_once_and_never_again() {
    let server = Server::start().await;
    *server.script.pulls.lock().unwrap() = Some(0);
    let images = [server.reference("a:t"), server.reference("b:t")];
    let client = client();
    for image in &images {
        let error = client.resolved(image).await.result.unwrap_err();
        assert!(matches!(error, ImageError::OverLimit { .. }), "{error}");
    }
    assert_eq!(
        server.log().len() - server.count("HEAD"),
        1,
        "{:?}",
        server.log()
    );
}

#[tokio::test]
async fn a_host_that_is_waited_for_takes_nobodys_place() {
    let (busy, free) = (Server::start().await, Server::start().await);
    busy.on(
        "/v2/a/manifests/t",
        Reply::new(503, "").header("retry-after", "2").once(),
    );
    busy.image("a", Some("t"), "arm64");
    free.image("a", Some("t"), "arm64");
    let one_at_a_time = RegistryOptions {
        concurrency: 1,
        ..options()
    };
    let client = Registry::new(&one_at_a_time).unwrap().0;
    let started = std::time::Instant::now();
    let (busy_image, free_image) = (busy.reference("a:t"), free.reference("a:t"));
    let waiting = client.resolved(&busy_image);
    let other = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = client.resolved(&free_image).await;
        (answer, started.elapsed())
    };
    let (waited, (answer, at)) = tokio::join!(waiting, other);
    assert!(waited.result.is_ok() && answer.result.is_ok());
    assert!(at < Duration::from_secs(1), "{at:?}");
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn a_host_that_wants_to_be_left_alone_for_long_is() {
    let server = Server::start().await;
    for n in 0..20 {
        let later = Reply::new(429, "").header("retry-after", "3600");
        server.on(&format!("/v2/a{n}/manifests/t"), later);
    }
    let images: Vec<ImageRef> = (0..20)
        .map(|n| server.reference(&format!("a{n}:t")))
        .collect();
    let errors = errors(&client(), &images).await;
    let says = |words: &str| errors.iter().filter(|error| error.contains(words)).count();
    assert_eq!(says("wants to be asked again in 60 min"), 19, "{errors:?}");
    assert_eq!(server.log().len(), 1, "{:?}", server.log());
}
