use base::ManualClock;

use super::*;

fn who(user: &str) -> Who {
    Who {
        user: user.to_owned(),
        name: user.to_owned(),
    }
}

async fn ended(jobs: &Jobs, id: &str) -> Arc<Job> {
    let job = jobs.find(id).unwrap();
    while open(&job.ended).is_none() {
        tokio::task::yield_now().await;
    }
    job
}

#[tokio::test]
async fn large_results_are_kept_for_as_long_as_there_is_room() {
    let clock = Arc::new(ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap()));
    let jobs = Jobs::default();
    let mut ids = Vec::new();
    for size in [KEPT_BYTES / 2, KEPT_BYTES / 4, KEPT_BYTES / 2, 10] {
        let clock_too = Arc::clone(&clock);
        let work = |_| async move { Ok("x".repeat(size)) };
        let id = jobs.start("next", who("a"), clock_too, work);
        let job = ended(&jobs, &id).await;
        let result = job.shown().result.map(|r| r.bytes());
        assert_eq!(result, Some(size + 2));
        ids.push(id);
        clock.advance(Duration::from_secs(1));
    }
    let there =
        |jobs: &Jobs| -> Vec<bool> { ids.iter().map(|id| jobs.find(id).is_some()).collect() };
    // The first went when the last one began.
    assert_eq!(there(&jobs), [false, true, true, true]);
    clock.advance(KEPT);
    let last = jobs.start(
        "next",
        who("a"),
        Arc::<ManualClock>::clone(&clock),
        |_| async { Ok(()) },
    );
    assert_eq!(there(&jobs), [false; 4]);
    assert!(jobs.find(&last).is_some());
}

#[tokio::test]
async fn one_import_at_a_time_and_three_of_one_person() {
    let clock = Arc::new(ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap()));
    let jobs = Jobs::default();
    let begin = |user: &str| {
        let leave = jobs.may_import(&who(user)).unwrap();
        let importing = jobs.importing();
        jobs.start(
            "import",
            who(user),
            Arc::<ManualClock>::clone(&clock),
            |job| async move {
                let _leave = leave;
                let _turn = Jobs::turn_to_import(importing, &job).await?;
                job.step("reads", 1, 1);
                while job.go_on().is_ok() {
                    tokio::task::yield_now().await;
                }
                job.go_on()
            },
        )
    };
    let ids: Vec<String> = (0..IMPORTS).map(|_| begin("a")).collect();
    assert_eq!(jobs.may_import(&who("a")).unwrap_err().code, "too_many");
    assert!(jobs.may_import(&who("b")).is_ok());
    let reading = |id: &String| jobs.find(id).is_some_and(|j| j.shown().step == "reads");
    while !reading(&ids[0]) {
        tokio::task::yield_now().await;
    }
    assert!(!reading(&ids[1]) && !reading(&ids[2]));
    // One that waits is stopped where it stands, and the other comes up when the first has ended.
    jobs.stop(&ids[1]).unwrap();
    assert_eq!(ended(&jobs, &ids[1]).await.shown().state, "stopped");
    assert!(jobs.may_import(&who("a")).is_ok());
    jobs.stop(&ids[0]).unwrap();
    while !reading(&ids[2]) {
        tokio::task::yield_now().await;
    }
    assert_eq!(jobs.find(&ids[1]).unwrap().shown().step, "Venter");
    jobs.stop(&ids[2]).unwrap();
    ended(&jobs, &ids[2]).await;
}
