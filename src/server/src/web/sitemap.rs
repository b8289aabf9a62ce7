//! Lists of pages: sitemap.xml, a list of such lists, or a plain text with an address a line.

use quick_xml::Reader;
use quick_xml::events::Event;

/// What a sitemap names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sitemap {
    pub pages: Vec<String>,
    /// Other sitemaps.
    pub maps: Vec<String>,
}

/// Addresses that are read of one file.
const MOST: usize = 50_000;

/// # Errors
/// In Danish: it is no sitemap.
pub(crate) fn read(bytes: &[u8]) -> Result<Sitemap, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let map = if text.starts_with('<') {
        xml(text).ok_or("Sitemappet kan ikke læses som XML.")?
    } else {
        let lines = text.lines().map(str::trim);
        Sitemap {
            pages: lines
                .filter(|l| l.starts_with("http"))
                .take(MOST)
                .map(str::to_owned)
                .collect(),
            maps: Vec::new(),
        }
    };
    if map.pages.is_empty() && map.maps.is_empty() {
        return Err("Der er ingen adresser i sitemappet.".to_owned());
    }
    Ok(map)
}

fn xml(text: &str) -> Option<Sitemap> {
    let mut reader = Reader::from_str(text);
    let mut map = Sitemap::default();
    // Names of the elements around, innermost last: images and videos have a `loc` too, with a prefix.
    let mut around: Vec<String> = Vec::new();
    let mut loc = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(e) => {
                if around.len() > 16 {
                    return None;
                }
                around.push(e.name().as_ref().to_owned());
                loc.clear();
            }
            Event::End(_) => {
                let ended = around.pop()?;
                let parent = around.last().map_or("", String::as_str);
                let address = loc.trim();
                if ended == "loc" && !address.is_empty() {
                    match parent {
                        "url" => map.pages.push(address.to_owned()),
                        "sitemap" => map.maps.push(address.to_owned()),
                        _ => {}
                    }
                }
                if map.pages.len() + map.maps.len() >= MOST {
                    return Some(map);
                }
                loc.clear();
            }
            Event::Text(t) => loc.push_str(&t),
            Event::CData(t) => loc.push_str(&t),
            Event::GeneralRef(r) => {
                if let Ok(Some(c)) = r.resolve_char_ref() {
                    loc.push(c);
                } else {
                    match &*r {
                        "amp" => loc.push('&'),
                        "apos" => loc.push('\''),
                        "quot" => loc.push('"'),
                        // No others are looked up: that is how lists are blown up.
                        _ => return None,
                    }
                }
            }
            Event::Eof => return around.is_empty().then_some(map),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_other_maps_are_found_and_pictures_are_not() {
        let text = "<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\
                    <url><loc> https://a.dk/?x=1&amp;y=&#50; </loc><image:image><image:loc>https://a.dk/i.png</image:loc>\
                    </image:image></url><url><loc><![CDATA[https://a.dk/b]]></loc><lastmod>2026</lastmod></url></urlset>";
        let map = read(text.as_bytes()).unwrap();
        assert_eq!(map.pages, ["https://a.dk/?x=1&y=2", "https://a.dk/b"]);
        let index = "<sitemapindex><sitemap><loc>https://a.dk/1.xml</loc></sitemap></sitemapindex>";
        assert_eq!(read(index.as_bytes()).unwrap().maps, ["https://a.dk/1.xml"]);
        let plain = read("\u{feff}https://a.dk/1\n# nej\nhttps://a.dk/2\n".as_bytes()).unwrap();
        assert_eq!(plain.pages, ["https://a.dk/1", "https://a.dk/2"]);
    }

    #[test]
    fn what_is_no_sitemap_or_would_blow_up_is_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><urlset><url><loc>https://a.dk/&b;</loc></url></urlset>";
        let deep = "<a>".repeat(100_000);
        for wrong in [
            bomb,
            &deep,
            "",
            "<urlset></urlset>",
            "<urlset><url><loc>https://a.dk/",
            "hej",
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{:.40}", wrong);
        }
    }
}
