//! List files as they are found, byte for byte.

use proptest::prelude::*;

use super::*;
use crate::charset::{Profile, encode};
use crate::model::Suppression;

/// What a file comes to: a line for each row, `LINE address|name|tags|status` or `LINE !problem`.
fn read_mapped(octets: &[u8], charset: Option<Charset>, written: &[&str]) -> Result<Vec<String>, String> {
    let mut mapping = Mapping::default();
    written.iter().for_each(|written| mapping.add(written).unwrap());
    let mut file = ListFile::open(octets, charset, &mapping).map_err(|error| error.to_string())?;
    let rows: Vec<_> = file.by_ref().collect();
    assert!(file.next().is_none(), "the end is the end");
    let told = rows.into_iter().map(|row| match row {
        Ok(Ok(ListRow { line, address, name, tags, status })) => {
            let mut told = format!("{line} {}", address.as_str());
            let tags = if tags.is_empty() { None } else { Some(tags.join("+")) };
            let status = if status == Status::Active { None } else { Some(status.name().to_owned()) };
            for part in [name, tags, status].into_iter().flatten() {
                told = format!("{told}|{part}");
            }
            Ok(told)
        }
        Ok(Err(bad)) => Ok(format!("{} !{}", bad.line, bad.problem)),
        Err(error) => Err(error.to_string()),
    });
    told.collect()
}

fn check(octets: &[u8], want: &[&str]) {
    assert_eq!(read_mapped(octets, None, &[]).unwrap(), want, "{}", String::from_utf8_lossy(octets));
}

fn check_mapped(octets: &[u8], written: &[&str], want: &[&str]) {
    assert_eq!(read_mapped(octets, None, written).unwrap(), want, "{written:?}");
}

fn check_error(octets: &[u8], written: &[&str], want: &str) {
    let error = read_mapped(octets, None, written).unwrap_err();
    assert!(error.contains(want), "{error}");
}

#[test]
fn tables_of_excel_are_read_in_every_character_set() {
    let text =
        "№,お名前,メールアドレス\r\n1,山田　太郎,taro@example.jp\r\n2,\"鈴木, 花子\",Hanako@Example.JP\r\n";
    let want = ["2 taro@example.jp|山田　太郎", "3 Hanako@example.jp|鈴木, 花子"];
    for charset in [Charset::Utf8, Charset::ShiftJis, Charset::EucJp, Charset::Iso2022Jp] {
        let octets = encode(text, charset, Profile::Ms).unwrap();
        assert_eq!(read_mapped(&octets, None, &[]).unwrap(), want, "{charset:?}");
        assert_eq!(read_mapped(&octets, Some(charset), &[]).unwrap(), want, "{charset:?}");
    }
    check(format!("\u{FEFF}{text}").as_bytes(), &want);
    for charset in [Charset::Utf16Le, Charset::Utf16Be] {
        // Excel's "Unicode text".
        let tabs = format!("\u{FEFF}{}", text.replace("鈴木, 花子", "鈴木、 花子").replace(',', "\t"));
        let octets = encode(&tabs, charset, Profile::Ms).unwrap();
        check(&octets, &["2 taro@example.jp|山田　太郎", "3 Hanako@example.jp|鈴木、 花子"]);
    }
    check(b"\x83\x81\x81[\x83\x8B,\x96\xBC\x91O\na@example.jp,\x8E\x52\x93\x63\n", &["2 a@example.jp|山田"]);
}

#[test]
fn cells_are_parted_by_commas_tabs_or_semicolons() {
    for (delimiter, other) in [(",", ";"), ("\t", ","), (";", ",")] {
        let text = format!("email{delimiter}name\na@example.jp{delimiter}\"T{other}{delimiter}\"\"x\"\"\"\n");
        check(text.as_bytes(), &[&format!("2 a@example.jp|T{other}{}\"x\"", delimiter.replace('\t', " "))]);
    }
    check(b"sep=;\r\nemail;name\r\na@example.jp;T\r\n", &["3 a@example.jp|T"]);
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for line_end in ["\n", "\r\n", "\r"] {
        let text =
            "email,note,name\n\na@example.jp,\"one\ntwo\n\",A\n,,\n\n\nb@example.jp,,B\nbad,,C\nc@example.jp";
        let text = text.replace('\n', line_end);
        let bad = "10 !an address has a name, an @ and a domain";
        check(text.as_bytes(), &["3 a@example.jp|A", "9 b@example.jp|B", bad, "11 c@example.jp"]);
    }
}

#[test]
fn addresses_a_line_each_are_read_with_and_without_names() {
    check(
        b"a@example.jp\nb@example.jp\r\n\r\nB <c@example.jp>",
        &["1 a@example.jp", "2 b@example.jp", "4 c@example.jp|B"],
    );
    check(
        "# news\n\"Yamada, Taro\" <a@example.jp>\nSuzuki, Hanako <b@example.jp>\n佐藤 <c@example.jp>\n"
            .as_bytes(),
        &["2 a@example.jp|Yamada, Taro", "3 b@example.jp|Suzuki, Hanako", "4 c@example.jp|佐藤"],
    );
    check(
        b"a@example.jp\n# gone\nnobody\n",
        &["1 a@example.jp", "3 !an address has a name, an @ and a domain"],
    );
    check(b"\"a@example.jp\"\n\"b@example.jp\"\n", &["1 a@example.jp", "2 b@example.jp"]);
    check("ａ＠ｅｘａｍｐｌｅ．ｊｐ\n".as_bytes(), &["1 a@example.jp"]);
    let jis = b"=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <a@example.jp>\n\x1b$B;3ED\x1b(B <b@example.jp>\n";
    check(jis, &["1 a@example.jp|山田", "2 b@example.jp|山田"]);
}

#[test]
fn tables_without_headings_are_read() {
    check(b"a@example.jp,A\nb@example.jp,B\n", &["1 a@example.jp|A", "2 b@example.jp|B"]);
    check_mapped(b"7;a@example.jp;A;vip\n", &["name=3", "tags=4"], &["1 a@example.jp|A|vip"]);
    check_error(
        b"7;a@example.jp;A;vip\n",
        &["name=5"],
        "it has no column `5`; it has no headings, and 4 columns",
    );
}

#[test]
fn exports_of_listmonk_keep_who_left() {
    let text = "uuid,email,name,attributes,status,created_at,updated_at\n\
        6a,a@example.jp,A,\"{\"\"city\"\": \"\"東京\"\", \"\"mail\"\": \"\"x@example.jp\"\"}\",enabled,2021-01-01,2021-01-01\n\
        6b,b@example.jp,B,{},blocklisted,2021-01-01,2021-01-01\n\
        6c,c@example.jp,C,{},unsubscribed,2021-01-01,2021-01-01\n\
        6d,d@example.jp,D,{},unconfirmed,2021-01-01,2021-01-01\n\
        6e,e@example.jp,E,{},strange,2021-01-01,2021-01-01\n";
    let want = [
        "2 a@example.jp|A",
        "3 b@example.jp|B|suppressed: operator",
        "4 c@example.jp|C|unsubscribed",
        "5 !the reader has not confirmed",
        "6 !the status `strange` is not known",
    ];
    check(text.as_bytes(), &want);
    let without_status: Vec<String> = ["A", "B", "C", "D", "E"]
        .iter()
        .zip(2..)
        .map(|(name, line)| format!("{line} {}@example.jp|{name}", name.to_lowercase()))
        .collect();
    assert_eq!(read_mapped(text.as_bytes(), None, &["status="]).unwrap(), without_status);
}

#[test]
fn any_column_names_are_taken_by_mapping() {
    let text = "連絡先,ニックネーム,会員種別\na@example.jp,たろう,正会員、東京\n";
    check_mapped(text.as_bytes(), &["email=連絡先"], &["2 a@example.jp"]);
    check_mapped(
        text.as_bytes(),
        &["email=連絡先", "name=ニックネーム", "tags=会員種別"],
        &["2 a@example.jp|たろう|正会員+東京"],
    );
    check_error(text.as_bytes(), &[], "--map email=COLUMN; it has `連絡先`, `ニックネーム`, `会員種別`");
    check_error(text.as_bytes(), &["email=宛先"], "it has no column `宛先`; it has `連絡先`");
    check(
        "姓,名,メール\n山田,太郎,a@example.jp\n,花子,b@example.jp\n".as_bytes(),
        &["2 a@example.jp|山田 太郎", "3 b@example.jp|花子"],
    );
}

#[test]
fn bad_rows_are_told_and_the_rest_is_read() {
    let long = "x".repeat(201);
    let commas = ",".repeat(501);
    let text = format!(
        "email,name,tags\n\
         a..b@docomo.ne.jp,A,\n\
         ,B,\n\
         c d@example.jp,C,\n\
         d@localhost,D,\n\
         e@example.jp,{long},\n\
         f@example.jp,F,{long}\n\
         g@example.jp{commas}\n\
         =h@example.jp,'=H,\n"
    );
    let want = [
        "2 a..b@docomo.ne.jp|A",
        "3 !there is no address",
        "4 !the part before the @ has a character that cannot be sent to",
        "5 !the domain is not one that mail can be sent to",
        "6 !the name has more than 200 characters",
        "7 !it has more than 50 tags, or one of more than 200 characters",
        "8 !it has more than 500 cells",
        "9 =h@example.jp|=H",
    ];
    check(text.as_bytes(), &want);
}

#[test]
fn what_cannot_be_read_costs_its_row_alone_and_only_where_it_matters() {
    let mut octets = encode(
        "メール,お名前,メモ\na@example.jp,山田,髙\nb@example.jp,@,x\nc@example.jp,鈴木,@\n",
        Charset::ShiftJis,
        Profile::Ms,
    )
    .unwrap();
    // What users of Shift_JIS made up for themselves.
    while let Some(at) = octets.windows(2).position(|pair| pair == b",@") {
        octets.splice(at + 1..at + 2, *b"\xF0\x40");
    }
    check(&octets, &["2 a@example.jp|山田", "3 !it cannot be read as Shift_JIS", "4 c@example.jp|鈴木"]);
}

#[test]
fn a_quotation_mark_that_nothing_closes_loses_no_rows_in_silence() {
    let text = "email,name\na@example.jp,\"A\nb@example.jp,B\nc@example.jp,\"C\"\nd@example.jp,D\n";
    check(text.as_bytes(), &["2 !a quotation mark takes in the rows that follow", "5 d@example.jp|D"]);
    check(
        b"email,name\na@example.jp,A\nb@example.jp,\"B",
        &["2 a@example.jp|A", "3 !a quotation mark takes in the rows that follow"],
    );
    let mut long = "email,name\na@example.jp,\"A\n".to_owned();
    long.extend((0..9_000).map(|number| format!("reader{number}@example.jp,B\n")));
    check_error(long.as_bytes(), &[], "the row of line 2 is longer than 64 KiB");
}

#[test]
fn bombs_are_refused() {
    check_error(b"", &[], "it is empty");
    check_error(b"\xEF\xBB\xBF\r\n\r\n", &[], "it is empty");
    let long = [b"email\n".to_vec(), vec![b'x'; 70 << 10], b"\na@example.jp\n".to_vec()].concat();
    check_error(&long, &[], "the row of line 2 is longer than 64 KiB");
    check_error(&vec![b'x'; 1 << 20], &[], "the row of line 1 is longer than 64 KiB");
    check_error(&[b"a@example.jp\n".to_vec(), vec![b'x'; 70 << 10]].concat(), &[], "the row of line 2");
    check_error(&[b"email\n\"".to_vec(), vec![b'\n'; 1 << 20]].concat(), &[], "the row of line 2");
    check_error(&vec![b','; 60 << 10], &[], "none of its columns");
    check(&[b"a@example.jp\n".to_vec(), vec![b'\n'; 1 << 20]].concat(), &["1 a@example.jp"]);
}

#[test]
fn what_we_write_is_read_back() {
    let rows = [
        ("=a@example.jp", "＝山田", "active"),
        ("-b@example.jp", "+1;\"x\", y", "unsubscribed"),
        ("c@example.jp", "'quoted'", "suppressed: complaint"),
    ];
    let mut octets = Vec::new();
    write_headings(&mut octets, true).unwrap();
    for (email, name, status) in rows {
        let cells =
            [email, name, status, "web", "ja", "会員,東京", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"];
        write_row(&mut octets, &cells, Formulas::Defused).unwrap();
    }
    let suppressed = Status::Suppressed(Suppression::Complaint).name();
    let want = [
        "2 =a@example.jp|＝山田|会員+東京".to_owned(),
        "3 -b@example.jp|+1;\"x\", y|会員+東京|unsubscribed".to_owned(),
        format!("4 c@example.jp|'quoted'|会員+東京|{suppressed}"),
    ];
    assert_eq!(read_mapped(&octets, None, &[]).unwrap(), want);
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(octets: Vec<u8>) {
        let _ = read_mapped(&octets, None, &[]);
        let _ = read_mapped(&[b"email,name\n".to_vec(), octets].concat(), None, &[]);
    }

    #[test]
    fn rows_come_in_order_and_hold_nothing_that_cannot_be_shown(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a@example.jp", "email", "name", ",", "\"", "\n", "\r\n", "\r", ";", "\t", "<", ">", "#", " ", "sep=,", "\u{FFFD}",
            "\u{7}", "山田", "'=", "@",
        ]), 0..40),
    ) {
        let text = pieces.concat();
        let Ok(file) = ListFile::open(text.as_bytes(), None, &Mapping::default()) else { return Ok(()) };
        let mut before = 0;
        let lines = text.replace("\r\n", "\n").split(['\n', '\r']).count() as u64;
        for row in file {
            let line = match row.unwrap() {
                Ok(row) => {
                    for text in row.name.iter().chain(&row.tags) {
                        prop_assert!(!text.contains(|c: char| c.is_control() || c == '\u{FFFD}'), "{text:?}");
                    }
                    row.line
                }
                Err(bad) => bad.line,
            };
            prop_assert!(before < line && line <= lines, "line {line} of {lines} behind {before} in {text:?}");
            before = line;
        }
    }
}
