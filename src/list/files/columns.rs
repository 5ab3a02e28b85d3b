//! Which column of a list file holds what: by the operator's word, or by the headings that other systems write.

use unicode_normalization::UnicodeNormalization;

/// Which columns an operator names: a heading, or the column's number from one on. An empty name is no column at all,
/// `姓+名` joins two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    email: Option<String>,
    name: Option<String>,
    tags: Option<String>,
    status: Option<String>,
}

/// What a `FIELD=COLUMN` cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// There is no `=`.
    #[error("write FIELD=COLUMN, as in email=メールアドレス")]
    NoColumn,
    /// Nothing is made of such a field.
    #[error("there is no field `{0}`: email, name, tags or status")]
    UnknownField(String),
}

/// Where the fields stand, counted from nought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The address.
    pub email: usize,
    /// The name, which may be in parts: family name and given name.
    pub name: Vec<usize>,
    /// The tags.
    pub tags: Option<usize>,
    /// The status that another system had.
    pub status: Option<usize>,
}

/// Why no columns were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoColumns {
    /// No heading is known as one of addresses.
    NoAddresses,
    /// There is no column of this name.
    Missing(String),
}

impl Mapping {
    /// Takes one `FIELD=COLUMN`.
    ///
    /// # Errors
    /// It is none.
    pub fn add(&mut self, written: &str) -> Result<(), MappingError> {
        let (field, column) = written.split_once('=').ok_or(MappingError::NoColumn)?;
        let place = match field.trim() {
            "email" => &mut self.email,
            "name" => &mut self.name,
            "tags" => &mut self.tags,
            "status" => &mut self.status,
            other => return Err(MappingError::UnknownField(other.to_owned())),
        };
        *place = Some(column.trim().to_owned());
        Ok(())
    }
}

const EMAIL: &[&str] = &[
    "email",
    "emailaddress",
    "mailaddress",
    "mail",
    "eメール",
    "eメールアドレス",
    "メールアドレス",
    "電子メールアドレス",
    "電子メール",
    "メール",
    "メアド",
    "配信先アドレス",
    "address",
    "アドレス",
];
const NAME: &[&str] = &[
    "name",
    "fullname",
    "displayname",
    "realname",
    "subscribername",
    "氏名",
    "お名前",
    "名前",
    "姓名",
    "購読者名",
    "会員名",
    "宛名",
];
const NAME_IN_PARTS: &[[&str; 2]] =
    &[["姓", "名"], ["苗字", "名前"], ["firstname", "lastname"], ["givenname", "familyname"]];
const TAGS: &[&str] = &["tags", "tag", "labels", "タグ", "ラベル"];
const STATUS: &[&str] = &[
    "status",
    "subscriberstatus",
    "subscriptionstatus",
    "状態",
    "ステータス",
    "配信状態",
    "配信状況",
    "配信ステータス",
    "購読状態",
    "登録状態",
];

/// The columns of a file whose first row is of headings.
pub(super) fn by_headings(headings: &[&str], mapping: &Mapping) -> Result<Columns, NoColumns> {
    let plain: Vec<String> = headings.iter().map(|heading| plain(heading)).collect();
    let at = |name: &str| plain.iter().position(|heading| heading == name);
    let usual = |names: &[&str]| names.iter().find_map(|name| at(name));
    let email = match &mapping.email {
        Some(written) => named(written, headings)?.first().copied(),
        None => usual(EMAIL),
    };
    let name = match &mapping.name {
        Some(written) => named(written, headings)?,
        None => {
            let parts = |[one, other]: &[&str; 2]| Some(vec![at(one)?, at(other)?]);
            let in_parts = NAME_IN_PARTS.iter().find_map(parts);
            in_parts.or_else(|| usual(NAME).map(|column| vec![column])).unwrap_or_default()
        }
    };
    let single = |written: &Option<String>, names: &[&str]| match written {
        Some(written) => named(written, headings).map(|columns| columns.first().copied()),
        None => Ok(usual(names)),
    };
    Ok(Columns {
        email: email.ok_or(NoColumns::NoAddresses)?,
        name,
        tags: single(&mapping.tags, TAGS)?,
        status: single(&mapping.status, STATUS)?,
    })
}

/// The columns of a file without headings, by its first row: the address is where an `@` is, and of two columns the other
/// is the name.
pub(super) fn by_first_row(cells: &[&str], mapping: &Mapping) -> Result<Columns, NoColumns> {
    let single = |written: &Option<String>| match written {
        Some(written) => named(written, cells).map(|columns| columns.first().copied()),
        None => Ok(None),
    };
    let email = match single(&mapping.email)? {
        Some(column) => column,
        None => cells.iter().position(|cell| has_at(cell)).ok_or(NoColumns::NoAddresses)?,
    };
    let name = match &mapping.name {
        Some(written) => named(written, cells)?,
        None if cells.len() == 2 => vec![1 - email.min(1)],
        None => Vec::new(),
    };
    Ok(Columns { email, name, tags: single(&mapping.tags)?, status: single(&mapping.status)? })
}

/// Whether a cell may hold an address; a Japanese input method may have made its `@` full-width.
pub(super) fn has_at(cell: &str) -> bool {
    cell.contains(['@', '＠'])
}

/// The columns that an operator names.
fn named(written: &str, headings: &[&str]) -> Result<Vec<usize>, NoColumns> {
    let missing = || NoColumns::Missing(written.to_owned());
    if written.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(column) = column(written, headings) {
        return Ok(vec![column]);
    }
    let parts: Option<Vec<usize>> = written.split('+').map(|part| column(part, headings)).collect();
    parts.ok_or_else(missing)
}

fn column(written: &str, headings: &[&str]) -> Option<usize> {
    let wanted = plain(written);
    let by_heading = headings.iter().position(|heading| plain(heading) == wanted);
    by_heading.or_else(|| match wanted.parse::<usize>() {
        Ok(number) if (1..=headings.len()).contains(&number) => Some(number - 1),
        _ => None,
    })
}

/// A heading without what differs from system to system: width, case, blanks and the signs between words.
fn plain(heading: &str) -> String {
    let wide: String = heading.nfkc().collect();
    let is_kept = |c: &char| !c.is_whitespace() && !"-_.:*\"'・".contains(*c);
    wide.to_lowercase().chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(written: &[&str]) -> Mapping {
        let mut mapping = Mapping::default();
        written.iter().for_each(|written| mapping.add(written).unwrap());
        mapping
    }

    fn columns(email: usize, name: &[usize], tags: Option<usize>, status: Option<usize>) -> Columns {
        Columns { email, name: name.to_vec(), tags, status }
    }

    #[test]
    fn the_usual_headings_are_known() {
        let check = |headings: &[&str], want: Columns| {
            assert_eq!(by_headings(headings, &Mapping::default()), Ok(want), "{headings:?}");
        };
        check(&["email", "name"], columns(0, &[1], None, None));
        check(&["No.", "お名前", "ﾒｰﾙｱﾄﾞﾚｽ"], columns(2, &[1], None, None));
        check(&["Ｅ－ｍａｉｌ", "氏　名"], columns(0, &[1], None, None));
        check(&["E-Mail Address", "Full Name", "Tags"], columns(0, &[1], Some(2), None));
        check(&["姓", "名", "メール", "配信状況"], columns(2, &[0, 1], None, Some(3)));
        check(&["First Name", "Last Name", "Email"], columns(2, &[0, 1], None, None));
        check(&["address", "電子メール"], columns(1, &[], None, None));
        check(
            &["uuid", "email", "name", "attributes", "status", "created_at", "updated_at"],
            columns(1, &[2], None, Some(4)),
        );
    }

    #[test]
    fn an_operator_names_columns_by_heading_number_or_in_parts() {
        let headings = ["連絡先", "姓", "名", "email", "status"];
        let check = |written: &[&str], want| {
            assert_eq!(by_headings(&headings, &mapping(written)), want, "{written:?}");
        };
        check(&["email=連絡先"], Ok(columns(0, &[1, 2], None, Some(4))));
        check(&["email=1", "name=姓", "status="], Ok(columns(0, &[1], None, None)));
        check(&["name=名+姓"], Ok(columns(3, &[2, 1], None, Some(4))));
        check(&["email=E-Mail", "tags=2"], Ok(columns(3, &[1, 2], Some(1), Some(4))));
        check(&["email=宛先"], Err(NoColumns::Missing("宛先".into())));
        check(&["email=6"], Err(NoColumns::Missing("6".into())));
        check(&["email="], Err(NoColumns::NoAddresses));
    }

    #[test]
    fn without_headings_the_address_is_where_its_sign_is() {
        let check = |cells: &[&str], written: &[&str], want| {
            assert_eq!(by_first_row(cells, &mapping(written)), want, "{cells:?} {written:?}");
        };
        check(&["山田", "taro@example.jp"], &[], Ok(columns(1, &[0], None, None)));
        check(&["taro＠example.jp", "山田", "x"], &[], Ok(columns(0, &[], None, None)));
        check(&["taro@example.jp", "山田", "x"], &["name=2"], Ok(columns(0, &[1], None, None)));
        check(&["taro", "山田"], &[], Err(NoColumns::NoAddresses));
    }

    #[test]
    fn a_mapping_is_a_field_and_a_column() {
        assert_eq!(Mapping::default().add("email"), Err(MappingError::NoColumn));
        assert_eq!(Mapping::default().add("mail=x"), Err(MappingError::UnknownField("mail".into())));
    }
}
