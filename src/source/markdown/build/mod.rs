//! From events to trees, with a stack of our own: however deep the input, no call nests deeper than [`DEEPEST`].

mod problems;
mod words;

use std::collections::hash_map::Entry;
use std::mem;
use std::ops::Range;

use pulldown_cmark::{self as cmark, CodeBlockKind, Event, Tag, TagEnd};

use words::{OBJECT, visible_last};

use super::Heading;
use super::attributes::{Attribute, braced};
use super::html::{Html, judge, unsafe_address};
use super::prepare::Prepared;
use super::walk::Begins;
use crate::diagnostic::Diagnostic;
use crate::hash::{HashMap, HashMapExt};
use crate::model::{Alignment, Block, Definition, Inline, Item, plain};

/// Containers and marks within each other; what lies deeper is kept without its container.
pub(super) const DEEPEST: usize = 32;

/// An article before its footnotes are gathered.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) title: Option<Heading>,
    pub(super) blocks: Vec<Block>,
    /// The footnotes it refers to, in order, with repetitions.
    pub(super) references: Vec<String>,
}

/// A footnote's definition, wherever it stands.
pub(super) struct Definite {
    pub(super) blocks: Vec<Block>,
    pub(super) references: Vec<String>,
    pub(super) span: Range<usize>,
}

/// Takes events and keeps what they make.
pub(super) struct Builder<'a> {
    prepared: &'a Prepared<'a>,
    pub(super) drafts: Vec<Draft>,
    pub(super) footnotes: HashMap<String, Definite>,
    /// Problems with their octets in the file.
    pub(super) problems: Vec<(Diagnostic, Range<usize>)>,
    /// The title of the article that is being built.
    title: Option<Heading>,
    stack: Vec<Frame>,
    /// For each container that is open: whether it has a frame of its own.
    framed: Vec<bool>,
    depth: usize,
    too_deep: bool,
    /// The last visible character of this paragraph's line.
    last: Option<char>,
    soft: Option<SoftBreak>,
    /// Where the last text ended, if the next one may be written on at its end.
    tail: usize,
    /// Whether these words hold what may be an address.
    has_url: bool,
    /// The offset in the prepared text up to which a ruby has taken everything.
    taken: usize,
}

/// A soft line break whose next character is not known yet. Until then a space stands at the end of the frame at `level`.
#[derive(Clone, Copy)]
struct SoftBreak {
    before: char,
    level: usize,
    at: usize,
}

struct Frame {
    kind: Kind,
    blocks: Vec<Block>,
    inlines: Vec<Inline>,
}

enum Kind {
    Draft,
    Paragraph,
    Title(Heading),
    Heading(u8, Option<String>),
    Quote,
    List { start: Option<u64>, tight: bool, items: Vec<Item> },
    Item(Option<bool>),
    Footnote { name: String, references: Vec<String>, span: Range<usize> },
    Definitions(Vec<Definition>),
    Term,
    Detail,
    Table { alignments: Vec<Alignment>, head: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>> },
    Row(Vec<Vec<Inline>>),
    Cell,
    Code { language: String, text: String, at: usize },
    Html(String, Range<usize>),
    Emphasis,
    Strong,
    Strikethrough,
    Link { url: String, at: usize },
    Image { url: String, title: String, at: usize },
}

const NOWHERE: usize = usize::MAX;

impl<'a> Builder<'a> {
    pub(super) fn new(prepared: &'a Prepared<'a>) -> Self {
        Builder {
            prepared,
            drafts: Vec::new(),
            footnotes: HashMap::new(),
            problems: Vec::new(),
            title: None,
            stack: vec![Frame { kind: Kind::Draft, blocks: Vec::new(), inlines: Vec::new() }],
            framed: Vec::new(),
            depth: 0,
            too_deep: false,
            last: None,
            soft: None,
            tail: NOWHERE,
            has_url: false,
            taken: 0,
        }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: Event<'_>, range: Range<usize>, begins: Begins) {
        if matches!(begins, Begins::Untitled | Begins::Article) {
            self.finish();
            self.drafts.push(Draft::default());
        }
        match event {
            Event::Start(tag) => self.start(tag, range, begins),
            Event::End(end) => self.end(end),
            Event::Text(text) => self.text(&text, range),
            Event::Code(code) => {
                let text = self.prepared.clean(&code).into_owned();
                self.meet(text.chars().next());
                let last = visible_last(&text);
                let at = self.prepared.original(range.start);
                self.push(Inline::Code { text, at });
                self.last = last.or(self.last);
            }
            Event::SoftBreak => self.soft_break(range),
            Event::HardBreak => self.hard_break(),
            Event::Html(raw) => {
                if let Some(Frame { kind: Kind::Html(all, _), .. }) = self.stack.last_mut() {
                    all.push_str(&raw);
                }
            }
            Event::InlineHtml(raw) => match judge(&raw) {
                Html::Break => self.hard_break(),
                Html::Nothing => {}
                Html::Other => self.raw_html(range),
            },
            Event::FootnoteReference(name) => self.reference(&name),
            Event::Rule => {
                self.settle();
                self.top().blocks.push(Block::Rule);
            }
            Event::TaskListMarker(done) => {
                let item = self.stack.iter_mut().rev().take(2).find_map(|frame| match &mut frame.kind {
                    Kind::Item(task) => Some(task),
                    _ => None,
                });
                if let Some(task) = item {
                    *task = Some(done);
                }
            }
            // Mathematics are not enabled.
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text, range),
        }
    }

    /// What has been built when the events are over.
    pub(super) fn finish(&mut self) {
        self.settle();
        let blocks = mem::take(&mut self.top().blocks);
        let title = self.title.take();
        if let Some(draft) = self.drafts.last_mut() {
            draft.blocks.extend(blocks);
            draft.title = draft.title.take().or(title);
        }
    }

    /// The title that has just ended.
    pub(super) fn take_title(&mut self) -> Option<Heading> {
        self.title.take()
    }

    /// The paragraphs since the last call.
    pub(super) fn take_paragraphs(&mut self) -> impl Iterator<Item = Vec<Inline>> {
        mem::take(&mut self.top().blocks).into_iter().filter_map(|block| match block {
            Block::Paragraph(words) => Some(words),
            _ => None,
        })
    }

    fn top(&mut self) -> &mut Frame {
        self.stack.last_mut().expect("the draft's frame is never taken off")
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>, begins: Begins) {
        self.tail = NOWHERE;
        let at = self.prepared.original(range.start);
        let kind = match tag {
            Tag::Emphasis => Kind::Emphasis,
            Tag::Strong => Kind::Strong,
            Tag::Strikethrough => Kind::Strikethrough,
            Tag::Link { link_type, dest_url, .. } => {
                let url = self.address(&dest_url, &range, link_type);
                Kind::Link { url, at }
            }
            Tag::Image { link_type, dest_url, title, .. } => {
                let url = self.address(&dest_url, &range, link_type);
                self.meet(None);
                Kind::Image { url, title: self.prepared.clean(&title).into_owned(), at }
            }
            block => {
                self.settle();
                self.block_kind(block, range.clone(), begins)
            }
        };
        let framed = self.fits(&kind, range.start);
        self.framed.push(framed);
        if framed {
            self.depth += usize::from(nests(&kind));
            self.stack.push(Frame { kind, blocks: Vec::new(), inlines: Vec::new() });
        }
    }

    fn block_kind(&mut self, tag: Tag<'_>, range: Range<usize>, begins: Begins) -> Kind {
        match tag {
            Tag::Heading { level, id, classes, attrs } => {
                let attributed = id.is_some() || !classes.is_empty() || !attrs.is_empty();
                let heading = self.heading(range, attributed);
                if !matches!(begins, Begins::Article | Begins::Title) {
                    Kind::Heading(level as u8, heading.id)
                } else {
                    Kind::Title(heading)
                }
            }
            Tag::BlockQuote(_) => Kind::Quote,
            Tag::CodeBlock(kind) => {
                let info = match &kind {
                    CodeBlockKind::Fenced(info) => self.prepared.clean(info),
                    CodeBlockKind::Indented => "".into(),
                };
                let language = info.split_whitespace().next().unwrap_or_default().to_owned();
                Kind::Code { language, text: String::new(), at: self.prepared.original(range.start) }
            }
            Tag::HtmlBlock => Kind::Html(String::new(), range),
            Tag::List(start) => Kind::List { start, tight: true, items: Vec::new() },
            Tag::Item => Kind::Item(None),
            Tag::FootnoteDefinition(name) => Kind::Footnote {
                name: self.prepared.clean(&name).into_owned(),
                references: Vec::new(),
                span: self.line(range),
            },
            Tag::DefinitionList => Kind::Definitions(Vec::new()),
            Tag::DefinitionListTitle => Kind::Term,
            Tag::DefinitionListDefinition => Kind::Detail,
            Tag::Table(columns) => {
                let alignments = columns.iter().map(alignment).collect();
                Kind::Table { alignments, head: Vec::new(), rows: Vec::new() }
            }
            Tag::TableHead | Tag::TableRow => Kind::Row(Vec::new()),
            Tag::TableCell => Kind::Cell,
            // Whatever else there is, is not enabled, or is inline and has been dealt with.
            _ => Kind::Paragraph,
        }
    }

    /// Whether a container gets a frame of its own; says so once when it is too deep for one.
    fn fits(&mut self, kind: &Kind, start: usize) -> bool {
        let parent = &self.top().kind;
        match kind {
            Kind::Item(_) => matches!(parent, Kind::List { .. }),
            Kind::Term | Kind::Detail => matches!(parent, Kind::Definitions(_)),
            Kind::Row(_) => matches!(parent, Kind::Table { .. }),
            Kind::Cell => matches!(parent, Kind::Row(_)),
            Kind::Link { url, .. } | Kind::Image { url, .. } if unsafe_address(url) => false,
            Kind::Paragraph => {
                if let [.., Frame { kind: Kind::List { tight, .. }, .. }, Frame { kind: Kind::Item(_), .. }] =
                    &mut self.stack[..]
                {
                    *tight = false;
                }
                true
            }
            kind if nests(kind) && self.depth >= DEEPEST => {
                let place = self.prepared.original(start);
                self.nested_too_deep(place);
                false
            }
            _ => true,
        }
    }

    fn end(&mut self, end: TagEnd) {
        let inline = matches!(
            end,
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image
        );
        if !inline {
            self.settle();
        }
        self.tail = NOWHERE;
        if !self.framed.pop().unwrap_or(false) || self.stack.len() < 2 {
            return;
        }
        // A space at the end of emphasised words belongs behind them.
        let carried = self.soft.filter(|soft| inline && soft.level == self.stack.len());
        if carried.is_some() {
            self.take_back_space();
        }
        let Some(frame) = self.stack.pop() else { return };
        self.depth -= usize::from(nests(&frame.kind));
        self.close(frame);
        if let Some(soft) = carried {
            self.put_space(soft);
        }
    }

    fn close(&mut self, frame: Frame) {
        let Frame { kind, blocks, inlines } = frame;
        match kind {
            Kind::Draft => {}
            Kind::Paragraph if inlines.is_empty() => {}
            Kind::Paragraph => {
                let words = self.with_links(inlines);
                self.top().blocks.push(Block::Paragraph(words));
            }
            Kind::Title(heading) => {
                self.title = Some(Heading { content: inlines, ..heading });
            }
            Kind::Heading(level, id) => {
                self.top().blocks.push(Block::Heading { level, id, content: inlines })
            }
            Kind::Quote => self.top().blocks.push(Block::Quote(blocks)),
            Kind::List { start, tight, items } => self.top().blocks.push(Block::List { start, tight, items }),
            Kind::Item(task) => {
                if let Kind::List { items, .. } = &mut self.top().kind {
                    items.push(Item { task, blocks });
                }
            }
            Kind::Footnote { name, references, span } => {
                self.define(name, Definite { blocks, references, span })
            }
            Kind::Definitions(definitions) => self.top().blocks.push(Block::Definitions(definitions)),
            Kind::Term => {
                let inlines = self.with_links(inlines);
                if let Kind::Definitions(definitions) = &mut self.top().kind {
                    match definitions.last_mut() {
                        Some(open) if open.details.is_empty() => open.terms.push(inlines),
                        _ => definitions.push(Definition { terms: vec![inlines], details: Vec::new() }),
                    }
                }
            }
            Kind::Detail => {
                if let Kind::Definitions(definitions) = &mut self.top().kind {
                    match definitions.last_mut() {
                        Some(open) => open.details.push(blocks),
                        None => definitions.push(Definition { terms: Vec::new(), details: vec![blocks] }),
                    }
                }
            }
            Kind::Table { alignments, head, rows } => {
                self.top().blocks.push(Block::Table { alignments, head, rows });
            }
            Kind::Row(cells) => {
                if let Kind::Table { head, rows, .. } = &mut self.top().kind {
                    if head.is_empty() { *head = cells } else { rows.push(cells) }
                }
            }
            Kind::Cell => {
                let inlines = self.with_links(inlines);
                if let Kind::Row(cells) = &mut self.top().kind {
                    cells.push(inlines);
                }
            }
            Kind::Code { language, mut text, at } => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                self.top().blocks.push(Block::Code { language, text, at });
            }
            Kind::Html(raw, range) => {
                if judge(&raw) == Html::Other {
                    self.raw_html(range);
                }
            }
            Kind::Emphasis => self.push(Inline::Emphasis(inlines)),
            Kind::Strong => self.push(Inline::Strong(inlines)),
            Kind::Strikethrough => self.push(Inline::Strikethrough(inlines)),
            Kind::Link { url, at } => self.push(Inline::Link { url, content: inlines, at }),
            Kind::Image { url, title, at } => {
                self.push(Inline::Image { url, alt: plain(&inlines), title, at });
                self.last = Some(OBJECT);
            }
        }
    }

    fn heading(&self, range: Range<usize>, attributed: bool) -> Heading {
        let text = self.prepared.text[range.clone()].trim_end();
        let end = range.start + text.len();
        let span = self.prepared.original(range.start)..self.prepared.original(end);
        let clean = |text: String| self.prepared.clean(&text).into_owned();
        let found = if attributed { braced(text) } else { Default::default() };
        let attributes = found.attributes.into_iter().map(|attribute| Attribute {
            key: clean(attribute.key),
            value: attribute.value.map(clean),
            span: self.prepared.original(range.start + attribute.span.start)
                ..self.prepared.original(range.start + attribute.span.end),
        });
        Heading {
            content: Vec::new(),
            id: found.id.map(clean),
            classes: found.classes.into_iter().map(clean).collect(),
            attributes: attributes.collect(),
            span,
        }
    }

    fn define(&mut self, name: String, footnote: Definite) {
        if let Entry::Vacant(vacant) = self.footnotes.entry(name) {
            vacant.insert(footnote);
        } else {
            let diagnostic =
                Diagnostic::warning("duplicate-footnote", "a footnote of this name is defined already")
                    .label("this one is not used")
                    .help("give each footnote a name of its own");
            self.problems.push((diagnostic, footnote.span));
        }
    }

    /// The first line of a range, in octets of the file.
    fn line(&self, range: Range<usize>) -> Range<usize> {
        let text = &self.prepared.text[range.clone()];
        let length = text.find(['\n', '\r']).unwrap_or(text.len());
        self.prepared.original(range.start)..self.prepared.original(range.start + length)
    }
}

fn nests(kind: &Kind) -> bool {
    match kind {
        Kind::Quote
        | Kind::List { .. }
        | Kind::Footnote { .. }
        | Kind::Definitions(_)
        | Kind::Table { .. } => true,
        Kind::Emphasis | Kind::Strong | Kind::Strikethrough | Kind::Link { .. } | Kind::Image { .. } => true,
        Kind::Draft | Kind::Paragraph | Kind::Title(_) | Kind::Heading(..) | Kind::Item(_) => false,
        Kind::Term | Kind::Detail | Kind::Row(_) | Kind::Cell | Kind::Code { .. } | Kind::Html(..) => false,
    }
}

fn alignment(column: &cmark::Alignment) -> Alignment {
    match column {
        cmark::Alignment::None => Alignment::None,
        cmark::Alignment::Left => Alignment::Left,
        cmark::Alignment::Center => Alignment::Center,
        cmark::Alignment::Right => Alignment::Right,
    }
}
