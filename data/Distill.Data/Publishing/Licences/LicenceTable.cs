using static Distill.Data.Publishing.Licences.LicenceTerm;

namespace Distill.Data.Publishing.Licences;

/// <summary>
/// Licences by identifier with what their texts ask for. An identifier that is not here is unknown, which is no verdict on it. The texts
/// stand at the addresses; the SPDX list of licences names most of them (spdx.org/licenses).
/// </summary>
internal static class LicenceTable
{
    private const string Spdx = "https://spdx.org/licenses/", Commons = "https://creativecommons.org/licenses/";

    public static IReadOnlyList<Licence> All { get; } =
    [
        new("mit", Spdx + "MIT.html", Attribution),
        new("apache-2.0", Spdx + "Apache-2.0.html", Attribution),
        new("bsd-2-clause", Spdx + "BSD-2-Clause.html", Attribution),
        new("bsd-3-clause", Spdx + "BSD-3-Clause.html", Attribution),
        new("isc", Spdx + "ISC.html", Attribution),
        new("cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        new("unlicense", Spdx + "Unlicense.html"),
        new("pddl-1.0", Spdx + "PDDL-1.0.html"),
        new("odc-by-1.0", Spdx + "ODC-By-1.0.html", Attribution),
        new("odbl-1.0", Spdx + "ODbL-1.0.html", Attribution, ShareAlike),
        new("cdla-permissive-2.0", Spdx + "CDLA-Permissive-2.0.html"),
        new("cdla-sharing-1.0", Spdx + "CDLA-Sharing-1.0.html", Attribution, ShareAlike),
        new("cc-by-3.0", Commons + "by/3.0/", Attribution),
        new("cc-by-4.0", Commons + "by/4.0/", Attribution),
        new("cc-by-sa-3.0", Commons + "by-sa/3.0/", Attribution, ShareAlike),
        new("cc-by-sa-4.0", Commons + "by-sa/4.0/", Attribution, ShareAlike),
        new("cc-by-nd-4.0", Commons + "by-nd/4.0/", Attribution, NoDerivatives),
        new("cc-by-nc-3.0", Commons + "by-nc/3.0/", Attribution, NonCommercial),
        new("cc-by-nc-4.0", Commons + "by-nc/4.0/", Attribution, NonCommercial),
        new("cc-by-nc-sa-3.0", Commons + "by-nc-sa/3.0/", Attribution, NonCommercial, ShareAlike),
        new("cc-by-nc-sa-4.0", Commons + "by-nc-sa/4.0/", Attribution, NonCommercial, ShareAlike),
        new("cc-by-nc-nd-4.0", Commons + "by-nc-nd/4.0/", Attribution, NonCommercial, NoDerivatives),
        new("gpl-2.0", Spdx + "GPL-2.0-only.html", Attribution, ShareAlike),
        new("gpl-3.0", Spdx + "GPL-3.0-only.html", Attribution, ShareAlike),
        new("lgpl-3.0", Spdx + "LGPL-3.0-only.html", Attribution, ShareAlike),
        new("agpl-3.0", Spdx + "AGPL-3.0-only.html", Attribution, ShareAlike),
        new("mpl-2.0", Spdx + "MPL-2.0.html", Attribution, ShareAlike),
        new("openrail", "https://www.licenses.ai/", UseRestrictions),
        new("bigscience-openrail-m", "https://www.licenses.ai/blog/2022/8/26/bigscience-open-rail-m-license", UseRestrictions),
        // Until 3.1 output could not improve other models. From 3 on the name of a model made with them begins with theirs.
        new("llama2", "https://ai.meta.com/llama/license/", Attribution, UseRestrictions, NoTraining),
        new("llama3", "https://llama.meta.com/llama3/license/", Attribution, UseRestrictions, NoTraining, Naming),
        new("llama3.1", "https://llama.meta.com/llama3_1/license/", Attribution, UseRestrictions, Naming),
        new("llama3.2", "https://www.llama.com/llama3_2/license/", Attribution, UseRestrictions, Naming),
        new("llama3.3", "https://www.llama.com/llama3_3/license/", Attribution, UseRestrictions, Naming),
        new("llama4", "https://www.llama.com/llama4/license/", Attribution, UseRestrictions, Naming),
        // Models trained on its output count as derivatives of it, and its terms go on with them.
        new("gemma", "https://ai.google.dev/gemma/terms", UseRestrictions, ShareAlike),
        new("mnpl-0.1", "https://mistral.ai/licenses/MNPL-0.1.md", NonCommercial),
        new("mrl-0.1", "https://mistral.ai/licenses/MRL-0.1.md", NonCommercial),
        new("openai-terms", "https://openai.com/policies/services-agreement/", NoTraining),
        new("anthropic-terms", "https://www.anthropic.com/legal/commercial-terms", NoTraining),
        new("google-terms", "https://ai.google.dev/gemini-api/terms", NoTraining),
    ];

    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.Ordinal)
    {
        ["apache2.0"] = "apache-2.0", ["apache-2"] = "apache-2.0", ["apache"] = "apache-2.0", ["cc0"] = "cc0-1.0", ["pddl"] = "pddl-1.0",
        ["odc-by"] = "odc-by-1.0", ["odbl"] = "odbl-1.0", ["openai"] = "openai-terms", ["anthropic"] = "anthropic-terms",
        ["gpl-2.0-only"] = "gpl-2.0", ["gpl-2.0-or-later"] = "gpl-2.0", ["gpl-3.0-only"] = "gpl-3.0", ["gpl-3.0-or-later"] = "gpl-3.0",
        ["lgpl-3.0-only"] = "lgpl-3.0", ["lgpl-3.0-or-later"] = "lgpl-3.0", ["agpl-3.0-only"] = "agpl-3.0",
        ["agpl-3.0-or-later"] = "agpl-3.0",
    };

    private static readonly Dictionary<string, Licence> ById = All.ToDictionary(licence => licence.Id, StringComparer.Ordinal);

    /// <summary>An identifier in the spelling of the table: lower case, hyphens for blanks and underscores, one of several names.</summary>
    public static string Normal(string id)
    {
        string plain = id.Trim().ToLowerInvariant().Replace(' ', '-').Replace('_', '-');
        return OtherNames.GetValueOrDefault(plain, plain);
    }

    /// <summary>The word that cards on the Hub use for it; <c>other</c> where the Hub has none.</summary>
    public static string HubWord(string id) => Normal(id) switch
    {
        "odc-by-1.0" => "odc-by",
        "odbl-1.0" => "odbl",
        "pddl-1.0" => "pddl",
        PublishPolicy.Unknown => PublishPolicy.Unknown,
        var plain when plain.EndsWith("-terms", StringComparison.Ordinal) || plain is "mnpl-0.1" or "mrl-0.1" => "other",
        var plain => ById.ContainsKey(plain) ? plain : "other",
    };

    /// <returns>Null for one that is not in the table.</returns>
    public static Licence? Find(string? id) => id is null ? null : ById.GetValueOrDefault(Normal(id));
}
