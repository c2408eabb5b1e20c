//! A second state machine in a temporary folder, which calls the same steps on another path, and faults planted in it:
//! every check of this program must find those of its kind.

use crate::{assert_no_faults, errors, files, machines, retries};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tests::state_machine::Machine;
use tests::state_machine::machine::repository;

/// A project with a second machine in addition to those of the repository, without faults. `change` plants some.
fn project(name: &str, change: impl FnOnce(&mut Second)) -> TempDir {
    let mut second = Second::new();
    change(&mut second);
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let write = |path: &str, text: String| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write(
        &format!("statemachine/{name}.asl.json"),
        second.definition.to_string(),
    );
    write(
        &format!("statemachine/{name}.errors.json"),
        second.errors.to_string(),
    );
    for (case, content) in &second.cases {
        write(
            &format!("statemachine/cases/{name}/{case}.json"),
            content.to_string(),
        );
    }
    for machine in machines() {
        let path = format!("statemachine/{}.asl.json", machine.name());
        write(&path, machine.definition.json().to_string());
    }
    let substitutions: String = second
        .substitutions
        .iter()
        .map(|(substitution, value)| format!("        {substitution}: !GetAtt {value}\n"))
        .collect();
    let template = fs::read_to_string(repository().join("template.yaml")).expect("template.yaml");
    let planted = format!(
        "Resources:\n\n  Second:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      DefinitionUri: \
         statemachine/{name}.asl.json\n      DefinitionSubstitutions:\n{substitutions}"
    );
    write("template.yaml", template.replacen("Resources:\n", &planted, 1));
    folder
}

/// What the second machine consists of.
struct Second {
    definition: Value,
    errors: Value,
    cases: Vec<(&'static str, Value)>,
    substitutions: Vec<(&'static str, &'static str)>,
}

impl Second {
    fn new() -> Self {
        let label_image = machines()
            .into_iter()
            .find(|machine| machine.name() == "label-image");
        let label_image = label_image.expect("the machine whose Retry blocks are copied");
        let retry = |task: &str| label_image.definition.state(task)["Retry"].clone();
        let file = [
            "InvalidImage",
            "ImageTooLarge",
            "ObjectGone",
            "ObjectArchived",
            "ObjectEncrypted",
        ];
        let more = ["UnsupportedFormat", "ImageTooSmall"];
        let caught = |names: Vec<&str>| {
            json!({
                "ErrorEquals": names, "Next": "Store rejection",
                "Output": {
                    "status": "REJECTED", "event": "{% $states.context.Execution.Input %}",
                    "executionArn": "{% $states.context.Execution.Id %}", "error": "{% $states.errorOutput %}",
                },
            })
        };
        let task = |comment: &str, function: &str, payload: Value, like: &str| {
            json!({
                "Type": "Task", "Comment": comment, "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": format!("${{{function}}}"), "Payload": payload},
                "Output": "{% $states.result.Payload %}", "TimeoutSeconds": 60, "Retry": retry(like),
            })
        };
        let input = json!("{% $states.input %}");
        let event = json!({"event": input, "executionArn": "{% $states.context.Execution.Id %}"});
        let mut check = task("Claims the image.", "CheckArn", event, "Validate image");
        check["Catch"] = json!([
            caught([&file[..], &more].concat()),
            {"ErrorEquals": ["DuplicateEvent", "StaleEvent", "ImageDeleted", "NotAnUpload", "VideoFound"], "Next": "Done"},
        ]);
        check["Next"] = json!("Is it a JPEG?");
        let mut find = task("Names what is in it.", "FindArn", input.clone(), "Detect labels");
        find["Catch"] = json!([caught(file.to_vec()), {"ErrorEquals": ["ConversionNeeded"], "Next": "Done"}]);
        find["End"] = json!(true);
        let mut store = task("Stores the rejection.", "StoreArn", input, "Persist result");
        store["Catch"] =
            json!([{"ErrorEquals": ["StaleEvent", "ImageDeleted", "NotAnUpload"], "Next": "Done"}]);
        store["Next"] = json!("Done");
        let definition = json!({
            "Comment": "Planted.", "QueryLanguage": "JSONata", "StartAt": "Check file", "TimeoutSeconds": 86400,
            "States": {
                "Check file": check,
                "Is it a JPEG?": {
                    "Type": "Choice", "Comment": "Other formats end here.", "Default": "Done",
                    "Choices": [{"Condition": "{% $states.input.format = 'JPEG' %}", "Next": "Wait"}],
                },
                "Wait": {"Type": "Wait", "Comment": "A pause.", "Seconds": 1, "Next": "Find labels"},
                "Find labels": find,
                "Store rejection": store,
                "Done": {"Type": "Succeed", "Comment": "Nothing more to do."},
            },
        });
        let image = case_result(&label_image, "labeled", "Validate image");
        let labels = case_result(&label_image, "labeled", "Detect labels");
        let mut png = image.clone();
        png["format"] = json!("PNG");
        let start = label_image
            .cases
            .iter()
            .find(|case| case.name == "labeled")
            .expect("a case")
            .input
            .clone();
        let case = |mocks: Value, states: &[&str], output: Value| {
            json!({
                "comment": "planted", "input": start, "mocks": mocks,
                "expected": {"states": states, "status": "SUCCEEDED", "output": output},
            })
        };
        let gone =
            json!({"Error": "ObjectGone", "Cause": json!({"errorMessage": "The file is gone."}).to_string()});
        Self {
            definition,
            errors: json!({
                "comment": "planted",
                "caught": {
                    "File": {"states": ["Store rejection", "Done"], "output": {
                        "status": "REJECTED", "event": "${input}", "executionArn": "${executionArn}", "error": "${error}",
                    }},
                    "NothingToDo": {"states": ["Done"], "output": "${error}"},
                    "Conversion": {"states": ["Done"], "output": "${error}"},
                },
            }),
            cases: vec![
                (
                    "labeled",
                    case(
                        json!({"Check file": {"returns": image}, "Find labels": {"returns": labels}}),
                        &["Check file", "Is it a JPEG?", "Wait", "Find labels"],
                        labels,
                    ),
                ),
                (
                    "other-format",
                    case(
                        json!({"Check file": {"returns": png}}),
                        &["Check file", "Is it a JPEG?", "Done"],
                        png.clone(),
                    ),
                ),
                (
                    "unmocked",
                    case(
                        json!({}),
                        &["Check file", "Is it a JPEG?", "Done"],
                        json!({"event": "${input}", "executionArn": "${executionArn}"}),
                    ),
                ),
                (
                    "gone",
                    case(
                        json!({"Check file": {"throws": {"error": gone["Error"], "cause": gone["Cause"]}}}),
                        &["Check file", "Store rejection", "Done"],
                        json!({
                            "status": "REJECTED", "event": "${input}", "executionArn": "${executionArn}", "error": gone,
                        }),
                    ),
                ),
            ],
            substitutions: vec![
                ("CheckArn", "ValidateFunction.Arn"),
                ("FindArn", "DetectLabelsFunction.Arn"),
                ("StoreArn", "PersistFunction.Arn"),
            ],
        }
    }

    fn state(&mut self, name: &str) -> &mut Value {
        &mut self.definition["States"][name]
    }
}

fn case_result(machine: &Machine, case: &str, task: &str) -> Value {
    let case = machine
        .cases
        .iter()
        .find(|other| other.name == case)
        .expect("a case");
    case.mocks[task].result(0).expect("a result").clone()
}

fn named(project: &Path, name: &str) -> Machine {
    let mut all = Machine::all(project).into_iter();
    all.find(|machine| machine.name() == name)
        .expect("the planted machine")
}

/// The second machine, and a copy with faults that only executions show.
pub(crate) fn second_machine() -> Vec<Machine> {
    let right = project("second", |_| {});
    let wrong = project("second-wrong", |second| {
        let catch = &mut second.state("Check file")["Catch"][0];
        catch["Next"] = json!("Done");
        second.state("Find labels")["Catch"][0]["Output"]["event"] = json!({});
        let (_, labeled) = &mut second.cases[0];
        labeled["expected"]["output"] = json!("something else");
        labeled["mocks"]["Check file"]["returns"]
            .as_object_mut()
            .expect("an image")
            .remove("key");
    });
    vec![named(right.path(), "second"), named(wrong.path(), "second-wrong")]
}

/// What all checks without an emulator find in a project.
fn all_faults(project: &Path) -> Vec<String> {
    let machines = Machine::all(project);
    [
        errors::handling(&machines),
        errors::wildcards(&machines),
        retries::all(&machines),
        files::deployment(project),
        files::strays(project),
        files::cases(&machines),
    ]
    .concat()
}

#[test]
fn faults_in_the_definition_of_a_second_machine_are_found() {
    let own = |faults: Vec<String>| -> Vec<String> {
        // The project holds no cases and errors of the repository's own machines.
        faults
            .into_iter()
            .filter(|fault| fault.contains("second") || fault.contains("planted"))
            .collect()
    };
    let right = project("second", |_| {});
    assert_no_faults(&own(all_faults(right.path())));

    type Plant = fn(&mut Second);
    let planted: [(&str, Plant); 24] = [
        (
            "second, \"Check file\": ImageTooSmall is retried [], not [false]",
            |second| {
                second.state("Check file")["Retry"][0]["ErrorEquals"] = json!(["InvalidImage"]);
            },
        ),
        (
            "second, \"Check file\": NotAnUpload leads to [], not [\"Done\"]",
            |second| {
                second.state("Check file")["Catch"][1]["ErrorEquals"] =
                    json!(["DuplicateEvent", "StaleEvent", "ImageDeleted"]);
            },
        ),
        (
            "second, \"Check file\": InvalidImage leads to [\"Done\"], not [\"Store rejection\"]",
            |second| {
                second.state("Check file")["Catch"][0]["Next"] = json!("Done");
            },
        ),
        (
            "second, \"Find labels\": InvalidImage leads to [\"Store rejection\"], not [\"Done\"]",
            |second| {
                second.errors["continued"] = json!({"Find labels": {"InvalidImage": "Done"}});
            },
        ),
        (
            "second, \"Find labels\": handles ImageTooSmal, which detect-labels does not report",
            |second| {
                let names = second.state("Find labels")["Catch"][0]["ErrorEquals"].as_array_mut();
                names.expect("names").push(json!("ImageTooSmal"));
            },
        ),
        (
            "second, \"Find labels\": ConversionNeeded has class Conversion",
            |second| {
                second.errors["caught"]
                    .as_object_mut()
                    .expect("classes")
                    .remove("Conversion");
            },
        ),
        ("second, \"Store rejection\": handles States.ALL", |second| {
            second.state("Store rejection")["Catch"][0]["ErrorEquals"] = json!(["States.ALL"]);
        }),
        (
            "second, \"Store rejection\": retries its step's own errors before Lambda's",
            |second| {
                second.state("Store rejection")["Retry"]
                    .as_array_mut()
                    .expect("groups")
                    .swap(1, 4);
            },
        ),
        ("second, \"Find labels\": retries caught errors", |second| {
            second.state("Find labels")["Retry"][0]["MaxAttempts"] = json!(2);
        }),
        (
            "second, \"Find labels\": does not retry Sandbox.Timedout",
            |second| {
                let names = second.state("Find labels")["Retry"][3]["ErrorEquals"]
                    .as_array_mut()
                    .expect("names");
                names.retain(|name| name != "Sandbox.Timedout");
            },
        ),
        (
            "second, \"Find labels\": CallTimedOut must be retried at most twelve times",
            |second| {
                second.state("Find labels")["Retry"][4]["MaxAttempts"] = json!(80);
            },
        ),
        ("second, \"Find labels\": does not retry Throttled", |second| {
            second.state("Find labels")["Retry"]
                .as_array_mut()
                .expect("groups")
                .pop();
        }),
        ("the Retry group of Throttled differs from that of", |second| {
            second.state("Store rejection")["Retry"][4]["MaxAttempts"] = json!(81);
        }),
        (
            "the Retry group of Lambda.SdkClientException differs from that of",
            |second| {
                second.state("Check file")["Retry"][1]["IntervalSeconds"] = json!(3);
            },
        ),
        ("second, \"Check file\": without full jitter", |second| {
            second.state("Check file")["Retry"][2]
                .as_object_mut()
                .expect("a group")
                .remove("JitterStrategy");
        }),
        ("second, \"Check file\": gives up Throttled after", |second| {
            second.state("Check file")["Retry"][4]["MaxAttempts"] = json!(10);
        }),
        ("longer than an execution may run", |second| {
            second.definition["TimeoutSeconds"] = json!(3600);
        }),
        ("second, \"Check file\": can hang", |second| {
            second
                .state("Check file")
                .as_object_mut()
                .expect("a state")
                .remove("TimeoutSeconds");
        }),
        (
            "second, \"Find labels\": times out while its function may still work",
            |second| {
                second.state("Find labels")["TimeoutSeconds"] = json!(30);
            },
        ),
        ("second, \"Done\": a Fail state", |second| {
            *second.state("Done") = json!({"Type": "Fail", "Comment": "planted"});
        }),
        (
            "second.asl.json: template.yaml does not substitute ${StoreArn}",
            |second| {
                second.substitutions.pop();
            },
        ),
        ("second.asl.json does not contain ${OtherArn}", |second| {
            second.substitutions.push(("OtherArn", "NotifyFunction.Arn"));
        }),
        (
            "second, \"Store rejection\": template.yaml does not say which function it invokes",
            |second| {
                second.substitutions[2].1 = "Table.Arn";
            },
        ),
        ("second, labeled: there is no state \"Find label\"", |second| {
            second.cases[0].1["expected"]["states"][3] = json!("Find label");
        }),
    ];
    for (fault, plant) in planted {
        let project = project("second", plant);
        let faults = own(all_faults(project.path()));
        assert!(
            faults.iter().any(|found| found.contains(fault)),
            "{fault} is not among {faults:#?}"
        );
    }

    // Files that belong to no machine, and a machine that is not deployed.
    let root = right.path();
    fs::create_dir(root.join("statemachine/cases/secnod")).expect("a folder");
    fs::write(root.join("statemachine/secnod.errors.json"), "{}").expect("a file");
    fs::copy(
        root.join("statemachine/second.asl.json"),
        root.join("statemachine/second-copy.asl.json"),
    )
    .expect("a copy");
    let faults = all_faults(root);
    for fault in [
        "statemachine/cases/secnod belongs to no definition",
        "statemachine/secnod.errors.json belongs to no definition",
        "template.yaml does not deploy statemachine/second-copy.asl.json exactly once",
        "statemachine/cases/second-copy has no case",
    ] {
        assert!(
            faults.iter().any(|found| found == fault),
            "{fault} is not among {faults:#?}"
        );
    }
}
