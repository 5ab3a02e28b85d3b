//! What a subject asks for.

use unicode_normalization::UnicodeNormalization;

/// What somebody wants of his subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To subscribe.
    Subscribe,
    /// To leave.
    Leave,
    /// To change his address.
    Change,
}

/// The wish of a subject that says nothing else: full-width or half-width, in any case, with signs and courtesies around it.
/// A subject with other words is for people, as it may say the opposite (「解除できません」).
pub(super) fn wish(subject: &str) -> Option<Wish> {
    if subject.len() > 300 {
        return None;
    }
    let subject: String = subject.nfkc().flat_map(char::to_lowercase).collect();
    let mut words = subject.trim();
    while let Some((before, after)) = words.split_once(':') {
        if !["re", "fw", "fwd", "返信", "転送"].contains(&before.trim()) {
            break;
        }
        words = after.trim();
    }
    // Particles say nothing here, and people leave them out: 登録の解除, 登録解除.
    let words: String = words.chars().filter(|c| c.is_alphanumeric() && !"のをにはが".contains(*c)).collect();
    let mut words = words.as_str();
    for around in ["メールマガジン", "メルマガ", "please"] {
        words = words.strip_prefix(around).unwrap_or(words);
    }
    loop {
        if let Some((_, wish)) = WORDS.iter().find(|(word, _)| *word == words) {
            return Some(*wish);
        }
        words = COURTESIES.iter().find_map(|courtesy| words.strip_suffix(courtesy))?;
    }
}

const COURTESIES: [&str; 16] = [
    "お願いします",
    "お願いいたします",
    "お願い致します",
    "お願い",
    "します",
    "してください",
    "して下さい",
    "ください",
    "下さい",
    "したい",
    "です",
    "希望",
    "依頼",
    "申請",
    "手続き",
    "please",
];

const WORDS: [(&str, Wish); 43] = [
    ("登録", Wish::Subscribe),
    ("新規登録", Wish::Subscribe),
    ("購読", Wish::Subscribe),
    ("購読登録", Wish::Subscribe),
    ("購読開始", Wish::Subscribe),
    ("購読申込", Wish::Subscribe),
    ("購読申し込み", Wish::Subscribe),
    ("申込", Wish::Subscribe),
    ("申し込み", Wish::Subscribe),
    ("配信", Wish::Subscribe),
    ("subscribe", Wish::Subscribe),
    ("subscription", Wish::Subscribe),
    ("join", Wish::Subscribe),
    ("解除", Wish::Leave),
    ("登録解除", Wish::Leave),
    ("購読解除", Wish::Leave),
    ("配信解除", Wish::Leave),
    ("退会", Wish::Leave),
    ("脱退", Wish::Leave),
    ("解約", Wish::Leave),
    ("停止", Wish::Leave),
    ("中止", Wish::Leave),
    ("配信停止", Wish::Leave),
    ("配信中止", Wish::Leave),
    ("購読停止", Wish::Leave),
    ("購読中止", Wish::Leave),
    ("登録削除", Wish::Leave),
    ("削除", Wish::Leave),
    ("unsubscribe", Wish::Leave),
    ("optout", Wish::Leave),
    ("leave", Wish::Leave),
    ("remove", Wish::Leave),
    ("stop", Wish::Leave),
    ("変更", Wish::Change),
    ("登録変更", Wish::Change),
    ("アドレス変更", Wish::Change),
    ("メールアドレス変更", Wish::Change),
    ("登録アドレス変更", Wish::Change),
    ("配信先変更", Wish::Change),
    ("change", Wish::Change),
    ("changeaddress", Wish::Change),
    ("changeofaddress", Wish::Change),
    ("addresschange", Wish::Change),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_that_is_a_wish_is_one() {
        use Wish::{Change, Leave, Subscribe};
        let cases = [
            ("登録", Some(Subscribe)),
            ("【登録】", Some(Subscribe)),
            ("メルマガ登録希望", Some(Subscribe)),
            ("購読をお願いします。", Some(Subscribe)),
            ("ＳＵＢＳＣＲＩＢＥ", Some(Subscribe)),
            (" Subscribe please! ", Some(Subscribe)),
            ("Re: subscribe", Some(Subscribe)),
            ("解除", Some(Leave)),
            ("登録の解除", Some(Leave)),
            ("配信を停止してください", Some(Leave)),
            ("退会希望です", Some(Leave)),
            ("メルマガの配信停止をお願いいたします", Some(Leave)),
            ("ﾀｲｶｲ", None),
            ("Unsubscribe", Some(Leave)),
            ("Re: Re: UNSUBSCRIBE", Some(Leave)),
            ("please unsubscribe", Some(Leave)),
            ("opt-out", Some(Leave)),
            ("変更", Some(Change)),
            ("メールアドレスの変更", Some(Change)),
            ("change of address", Some(Change)),
            ("", None),
            ("希望", None),
            ("please please", None),
            ("解除できません", None),
            ("登録したのに届きません", None),
            ("How do I unsubscribe?", None),
            ("Re: 等幅通信 Vol.010", None),
            ("登録: 山田", None),
        ];
        for (subject, expected) in cases {
            assert_eq!(wish(subject), expected, "{subject}");
        }
        assert_eq!(wish(&format!("登録{}", "。".repeat(200))), None);
    }
}
