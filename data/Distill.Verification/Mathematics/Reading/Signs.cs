namespace Distill.Verification.Mathematics.Reading;

/// <summary>One spelling for what LaTeX and Unicode write in many ways. What is not here is not read.</summary>
internal static class Signs
{
    /// <summary>Signs that stand for themselves.</summary>
    public const string Plain = "+-*/^_()[]{}|<>=,;:!%&'\"?.≤≥≠≈±∓∪∩∈∅∞∖⟨⟩⌊⌋⌈⌉°$€£¥₹¢→";

    /// <summary>Commands that only set blanks, sizes or styles.</summary>
    public static readonly HashSet<string> Blank = new(StringComparer.Ordinal)
    {
        ",", ";", ":", "!", " ", ">", "quad", "qquad", "thinspace", "enspace", "medspace", "thickspace", "negthinspace", "displaystyle",
        "textstyle", "scriptstyle", "limits", "nolimits", "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl",
        "Bigr", "biggl", "biggr", "Biggl", "Biggr", "boxed", "fbox", "mathstrut", "hfill", "nonumber", "(", ")", "[", "]", "\n",
        "mathop", "mathrel", "mathbin", "mathord", "ensuremath", "large", "Large",
    };

    private static readonly Dictionary<string, string> Commands = new(StringComparer.Ordinal)
    {
        ["cdot"] = "*", ["times"] = "*", ["ast"] = "*", ["cdotp"] = "*", ["bullet"] = "*", ["div"] = "/", ["slash"] = "/", ["pm"] = "±",
        ["mp"] = "∓", ["le"] = "≤", ["leq"] = "≤", ["leqslant"] = "≤", ["leqq"] = "≤", ["ge"] = "≥", ["geq"] = "≥", ["geqslant"] = "≥",
        ["geqq"] = "≥", ["lt"] = "<", ["gt"] = ">", ["ne"] = "≠", ["neq"] = "≠", ["approx"] = "≈", ["in"] = "∈", ["cup"] = "∪",
        ["bigcup"] = "∪", ["cap"] = "∩", ["bigcap"] = "∩", ["setminus"] = "∖", ["backslash"] = "∖", ["infty"] = "∞", ["emptyset"] = "∅",
        ["varnothing"] = "∅", ["{"] = "\\{", ["}"] = "\\}", ["lbrace"] = "\\{", ["rbrace"] = "\\}", ["langle"] = "⟨", ["rangle"] = "⟩",
        ["lvert"] = "|", ["rvert"] = "|", ["vert"] = "|", ["mid"] = "|", ["|"] = "|", ["lfloor"] = "⌊", ["rfloor"] = "⌋", ["lceil"] = "⌈",
        ["rceil"] = "⌉", ["%"] = "%", ["$"] = "$", ["degree"] = "°", ["circ"] = "°", ["colon"] = ":", ["&"] = "&", ["lbrack"] = "[",
        ["rbrack"] = "]", ["euro"] = "€", ["pounds"] = "£", ["textdollar"] = "$", ["prime"] = "'", ["lparen"] = "(", ["rparen"] = ")",
        ["to"] = "→", ["rightarrow"] = "→",
    };

    private static readonly Dictionary<string, string> Synonyms = new(StringComparer.Ordinal)
    {
        ["dfrac"] = "frac", ["tfrac"] = "frac", ["cfrac"] = "frac", ["dbinom"] = "binom", ["tbinom"] = "binom", ["lg"] = "log",
        ["land"] = "and", ["wedge"] = "and", ["lor"] = "or", ["vee"] = "or", ["arcsin"] = "arcsin", ["arctg"] = "arctan", ["tg"] = "tan",
        ["ctg"] = "cot", ["cosec"] = "csc", ["varepsilon"] = "epsilon", ["varphi"] = "phi", ["vartheta"] = "theta", ["asin"] = "arcsin",
        ["acos"] = "arccos", ["atan"] = "arctan", ["bar"] = "overline", ["infin"] = "∞", ["rm"] = " ", ["it"] = " ", ["bf"] = " ",
    };

    private static readonly Dictionary<char, string> Letters = new()
    {
        ['−'] = "-", ['–'] = "-", ['‐'] = "-", ['‑'] = "-", ['×'] = "*", ['·'] = "*", ['⋅'] = "*", ['∙'] = "*", ['∗'] = "*", ['÷'] = "/",
        ['∕'] = "/", ['⁄'] = "/", ['⩽'] = "≤", ['⩾'] = "≥", ['∶'] = ":", ['º'] = "°", ['˚'] = "°", ['〈'] = "⟨", ['〉'] = "⟩", ['’'] = "'",
        ['′'] = "'", ['“'] = "\"", ['”'] = "\"", ['∣'] = "|",
    };

    private static readonly Dictionary<string, string> Greek = new(StringComparer.Ordinal)
    {
        ["alpha"] = "α", ["beta"] = "β", ["gamma"] = "γ", ["delta"] = "δ", ["epsilon"] = "ε", ["zeta"] = "ζ", ["eta"] = "η",
        ["theta"] = "θ",
        ["iota"] = "ι", ["kappa"] = "κ", ["lambda"] = "λ", ["mu"] = "μ", ["nu"] = "ν", ["xi"] = "ξ", ["pi"] = "π", ["rho"] = "ρ",
        ["sigma"] = "σ", ["tau"] = "τ", ["upsilon"] = "υ", ["phi"] = "φ", ["chi"] = "χ", ["psi"] = "ψ", ["omega"] = "ω", ["Gamma"] = "Γ",
        ["Delta"] = "Δ", ["Theta"] = "Θ", ["Lambda"] = "Λ", ["Xi"] = "Ξ", ["Pi"] = "Π", ["Sigma"] = "Σ", ["Phi"] = "Φ", ["Psi"] = "Ψ",
        ["Omega"] = "Ω", ["ell"] = "ℓ",
    };

    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    private const string Subscripts = "₀₁₂₃₄₅₆₇₈₉";

    /// <returns>Null when the command is no sign.</returns>
    public static string? OfCommand(string command) => Commands.GetValueOrDefault(command);

    public static string Synonym(string command) => Synonyms.GetValueOrDefault(command) ?? command;

    /// <returns>The letter itself, or null when the command is none.</returns>
    public static string? GreekLetter(string command) => Greek.GetValueOrDefault(command);

    /// <returns>Null when the character is not read.</returns>
    public static string? OfLetter(char letter) =>
        Plain.Contains(letter, StringComparison.Ordinal) ? letter.ToString() : Letters.GetValueOrDefault(letter);

    public static int SuperscriptDigit(char letter) => Superscripts.IndexOf(letter, StringComparison.Ordinal);

    public static int SubscriptDigit(char letter) => Subscripts.IndexOf(letter, StringComparison.Ordinal);

    /// <returns>Numerator and denominator of ½ and the like; null for other characters.</returns>
    public static (string Numerator, string Denominator)? Fraction(char letter) => letter switch
    {
        '½' => ("1", "2"), '⅓' => ("1", "3"), '⅔' => ("2", "3"), '¼' => ("1", "4"), '¾' => ("3", "4"), '⅕' => ("1", "5"), '⅖' => ("2", "5"),
        '⅗' => ("3", "5"), '⅘' => ("4", "5"), '⅙' => ("1", "6"), '⅚' => ("5", "6"), '⅛' => ("1", "8"), '⅜' => ("3", "8"), '⅝' => ("5", "8"),
        '⅞' => ("7", "8"),
        _ => null,
    };
}
