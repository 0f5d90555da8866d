using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

/// <summary>What <c>input is name(arguments)</c> asks.</summary>
internal delegate bool Test(RenderContext context, Value input, CallArguments arguments);
