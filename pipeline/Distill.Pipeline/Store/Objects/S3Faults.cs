using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Store.Objects;

/// <summary>What the SDK throws, in our words: what was tried, where, and what to do. Never with a credential.</summary>
internal static class S3Faults
{
    private const string WhereCredentialsAre = "Credentials are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE and the "
        + "files in ~/.aws, or from the machine's role";

    public static bool IsOne(Exception fault) =>
        fault is AmazonServiceException or AmazonClientException or HttpRequestException or TimeoutException or WebException
            or HttpIOException or IOException { InnerException: SocketException }
            or TaskCanceledException { InnerException: TimeoutException };

    /// <param name="what">E.g. <c>put</c>.</param>
    public static ObjectStoreException Of(Exception fault, string what, string place) => new(
        $"Cannot {what} {place}: {Words(fault)}", fault);

    public static ObjectStoreException NoBucket(SharedStoreAddress address) =>
        new($"There is no bucket '{address.Bucket}', or it is not to be seen. Make it, or give another --store.");

    private static string Words(Exception fault) => fault switch
    {
        AmazonServiceException { ErrorCode: "NoSuchBucket" } => "there is no such bucket. Make it, or give another --store.",
        AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } refused =>
            $"it was refused ({refused.ErrorCode}). {WhereCredentialsAre}; they need to list, get, put and delete objects there.",
        AmazonServiceException { StatusCode: not 0 } service => $"the server answered {(int)service.StatusCode} ({service.ErrorCode}). "
            + "Continue when it works again; what was put is kept.",
        AmazonClientException when fault.Message.Contains("redentials", StringComparison.Ordinal) =>
            $"no credentials were found. {WhereCredentialsAre}.",
        AmazonClientException when fault.Message.Contains("egion", StringComparison.Ordinal) =>
            "neither a region nor an endpoint is known. Set AWS_REGION, or AWS_ENDPOINT_URL_S3 for a server of your own.",
        UriFormatException => "AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) is no URL.",
        _ => $"the server could not be reached ({fault.GetBaseException().Message}). Look at AWS_ENDPOINT_URL_S3 and the network.",
    };
}
