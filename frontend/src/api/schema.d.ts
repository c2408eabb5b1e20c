// Written by `npm run types` from api/openapi.json (SHA-256 a71b44a31ebe898be3123d61d5296863a1a4ed43d4f0bec00867cfeb8282b0ea). Not to be edited.

export interface paths {
    "/account/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete everything of the caller, a part at a time
         * @description Images with their files and labels, label counts and settings. Ask again until `done` is true: each request works for some seconds. The account itself stays.
         */
        delete: operations["deleteData"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Your images, newest first; by label, status and time; or those that you name
         * @description With filters, a page can have fewer images than `limit`, even none, and still a `nextCursor`: a request reads a bounded part of the library. Images that come or go between two pages neither hide nor double others. While an image is labeled again, it is found by its former labels.
         */
        get: operations["listImages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/images/{imageId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An image with its labels, as far as it has come
         * @description Ask again until `status` is `LABELED`, `REJECTED` or `FAILED`.
         */
        get: operations["getImage"];
        put?: never;
        post?: never;
        /**
         * Delete an image, its file and its labels
         * @description It is gone for good, also while it is being labeled, and an upload that is under way does not bring it back. May be repeated: for 30 days, a deleted image is answered with 204 again.
         */
        delete: operations["deleteImage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/images/{imageId}/execution": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the image's workflow went, step by step
         * @description The execution that has claimed the image last.
         */
        get: operations["getExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/images/{imageId}/relabel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have an image labeled again, by the present settings
         * @description Also an image that was rejected or has failed. Ask for the image until it has a new result.
         */
        post: operations["relabelImage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The labels of your images, most frequent first */
        get: operations["listLabels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description */
        get: operations["describe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which labels of your images count */
        get: operations["getSettings"];
        /**
         * Decide which labels of your next images count
         * @description Images that are labeled already keep their labels until they are labeled again.
         */
        put: operations["putSettings"];
        post?: never;
        /** Go back to the default */
        delete: operations["deleteSettings"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Announce a file, and learn where to put it */
        post: operations["createUpload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Where an instance stands, as fractions (0 to 1) of the picture's width and height. */
        BoundingBox: {
            /**
             * Format: double
             * @description Fraction of the picture's height.
             */
            height: number;
            /**
             * Format: double
             * @description From the left edge.
             */
            left: number;
            /**
             * Format: double
             * @description From the top edge.
             */
            top: number;
            /**
             * Format: double
             * @description Fraction of the picture's width.
             */
            width: number;
        };
        /**
         * Format: double
         * @description How sure the model is, in percent: 0 to 100 with at most two decimals.
         */
        Confidence: number;
        /** @description An image to be. */
        Created: {
            /**
             * Format: date-time
             * @description Until when the upload is possible.
             */
            expiresAt: string;
            imageId: components["schemas"]["ImageId"];
            upload: components["schemas"]["Upload"];
        };
        /** @description An execution. */
        Execution: {
            /**
             * Format: date-time
             * @description When it was started.
             */
            startedAt: string;
            /** @description As Step Functions has it: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED` or `PENDING_REDRIVE`. */
            status: string;
            /** @description In the order in which they were entered. */
            steps: components["schemas"]["Step"][];
            /**
             * Format: date-time
             * @description When it ended; null while it runs.
             */
            stoppedAt: string | null;
        };
        /** @description One of several mistakes in a request. */
        FieldError: {
            /** @description What would be right. */
            detail: string;
            /** @description The field. */
            field: string;
        };
        /** @description An owner's filter policy. */
        FilterPolicy: {
            /** @description These label names never count. Case-insensitive; at most 100. */
            exclude: components["schemas"]["LabelName"][];
            /** @description Where not empty, only these label names count. Case-insensitive; at most 100. */
            include: components["schemas"]["LabelName"][];
            /**
             * Format: int32
             * @description At most this many labels, the surest first. 1 to 100.
             */
            maxLabels: number;
            /**
             * Format: double
             * @description Labels below this confidence do not count. Percent, 0 to 100.
             */
            minConfidence: number;
        };
        /**
         * @description The kinds of picture files that are taken.
         * @enum {string}
         */
        Format: "JPEG" | "PNG" | "WEBP" | "AVIF" | "GIF" | "BMP" | "TIFF";
        /** @description What API Gateway answers by itself. */
        GatewayMessage: {
            /** @description Such as `Unauthorized`. */
            message: string;
        };
        /** @description An image with all that is known about its labels. */
        Image: components["schemas"]["ImageFacts"] & {
            /** @description Surest first; empty unless `LABELED`. */
            labels: components["schemas"]["Label"][];
            /** @description How the picture was taken, as far as its file tells. */
            metadata: components["schemas"]["Metadata"];
            /** @description Smallest first; empty until they are made, some moments after the image is `LABELED`. */
            thumbnails: components["schemas"]["Thumbnail"][];
            /** @description Where the picture can be fetched; absent unless one has been found in the file. */
            view?: components["schemas"]["View"];
        };
        /** @description What is told about an image wherever it is told. */
        ImageFacts: {
            /**
             * Format: date-time
             * @description When the upload was handed out, or the object was first seen.
             */
            createdAt: string;
            /** @description Why the image was rejected or failed. */
            error?: components["schemas"]["RecordedError"];
            /** @description The file's own name; null where it is not known. */
            fileName: string | null;
            format: components["schemas"]["Format"] | null;
            /**
             * Format: int32
             * @description Pixels, as seen; null while they are not known.
             */
            height: number | null;
            imageId: components["schemas"]["ImageId"];
            /** @description The model that found the labels; null unless `LABELED`. */
            modelVersion: string | null;
            /**
             * Format: int64
             * @description Bytes; null while they are not known.
             */
            size: number | null;
            status: components["schemas"]["Status"];
            /**
             * Format: date-time
             * @description When anything about the image last changed.
             */
            updatedAt: string;
            /**
             * Format: int32
             * @description Pixels, as seen; null while they are not known.
             */
            width: number | null;
        };
        /**
         * Format: uuid
         * @description An image's id: a UUIDv7 handed out by the API, or a UUIDv5 derived from bucket and key.
         */
        ImageId: string;
        /** @description A page of images. */
        ImageList: {
            /** @description Newest first. */
            images: components["schemas"]["ImageSummary"][];
            /** @description Leads to the next page, with the same parameters; null at the end. */
            nextCursor: string | null;
        };
        /** @description An image in a list: its labels without boxes. */
        ImageSummary: components["schemas"]["ImageFacts"] & {
            /** @description Surest first; empty unless `LABELED`. */
            labels: components["schemas"]["LabelSummary"][];
            /** @description Smallest first; empty until they are made, some moments after the image is `LABELED`. */
            thumbnails: components["schemas"]["Thumbnail"][];
        };
        /** @description One thing of a label's kind that was found in the picture. */
        Instance: {
            /** @description Where it stands. */
            boundingBox: components["schemas"]["BoundingBox"];
            /** @description How sure the model is of this instance. */
            confidence: components["schemas"]["Confidence"];
        };
        /** @description A label of a picture. */
        Label: {
            /** @description Other names for the same thing. */
            aliases: string[];
            /** @description Rekognition's categories, such as `Animals and Pets`. */
            categories: string[];
            /** @description How sure the model is. */
            confidence: components["schemas"]["Confidence"];
            /** @description Where things of this kind stand; empty for what has no place, such as `Outdoors`. */
            instances: components["schemas"]["Instance"][];
            /** @description Rekognition's name, such as `Coffee Cup`. */
            name: string;
            /** @description All ancestors, such as `Animal` and `Mammal` for `Cat`. */
            parents: string[];
        };
        /** @description A label, and how many images have it. */
        LabelCount: {
            /**
             * Format: int64
             * @description Images of the owner.
             */
            count: number;
            /** @description Rekognition's name, such as `Coffee Cup`. */
            name: string;
        };
        /** @description The labels of the owner's images. */
        LabelList: {
            /** @description Most frequent first, at most 1,000. */
            labels: components["schemas"]["LabelCount"][];
        };
        /**
         * @description A label's name, however it is capitalized.
         * @example Coffee Cup
         */
        LabelName: string;
        /** @description A label in an [`Outcome`]. */
        LabelSummary: {
            /** @description How sure the model is. */
            confidence: components["schemas"]["Confidence"];
            /** @description Rekognition's name. */
            name: string;
        };
        /** @description Where a picture was taken. */
        Location: {
            /**
             * Format: double
             * @description Meters above the sea.
             */
            altitude?: number | null;
            /**
             * Format: double
             * @description Degrees, -90 to 90, north above 0.
             */
            latitude: number;
            /**
             * Format: double
             * @description Degrees, -180 to 180, east above 0.
             */
            longitude: number;
        };
        /** @description How a picture was taken, as far as its file tells. Everything in it was written by whoever made the file. */
        Metadata: {
            /**
             * @description The camera's maker, such as `Canon`; at most 64 characters, as are all texts here.
             * @default null
             */
            cameraMake: string | null;
            /**
             * @description The camera's model.
             * @default null
             */
            cameraModel: string | null;
            /**
             * Format: double
             * @description Seconds, above 0.
             * @default null
             */
            exposureTime: number | null;
            /**
             * Format: double
             * @description The focal length divided by the aperture, above 0.
             * @default null
             */
            fNumber: number | null;
            /**
             * Format: double
             * @description Millimeters, above 0.
             * @default null
             */
            focalLength: number | null;
            /**
             * Format: int32
             * @description ISO sensitivity, above 0.
             * @default null
             */
            iso: number | null;
            /**
             * @description The lens's model.
             * @default null
             */
            lens: string | null;
            /** @default null */
            location: components["schemas"]["Location"] | null;
            /**
             * @description As the camera's clock said: `2026-11-23T09:30:00`, with `+01:00` or the like behind it where the file tells.
             * @default null
             */
            takenAt: string | null;
        };
        /** @description A file that is going to be uploaded. */
        NewUpload: {
            /**
             * @description What the file says it is.
             * @example image/jpeg
             */
            contentType: string;
            /**
             * @description The file's own name, without slashes, line breaks, control characters and characters that turn the direction
             *     of text.
             * @example cat.jpg
             */
            fileName: string;
            /**
             * @description The file's SHA-256 in base64.
             * @example 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
             */
            sha256: string;
            /**
             * Format: int64
             * @description Bytes, at most 100 MB.
             * @example 131072
             */
            size: number;
        };
        /** @description An error answer (RFC 9457). Its texts never repeat what the caller sent. */
        Problem: {
            /** @description What was wrong and what would be right, in a sentence for people. */
            detail: string;
            /** @description All that are to blame, where there are several. */
            errors?: components["schemas"]["FieldError"][];
            /** @description The field, parameter or part of the path that is to blame; the first one, where there are several. */
            field?: string;
            /**
             * Format: int32
             * @description HTTP's status.
             */
            status: number;
            /** @description The type in a few words, the same for each problem of the type. */
            title: string;
            type: components["schemas"]["ProblemType"];
        };
        /**
         * @description What went wrong, as programs tell it. Stable.
         * @enum {string}
         */
        ProblemType: "urn:image-label-generator:problem:invalid-field" | "urn:image-label-generator:problem:unknown-field" | "urn:image-label-generator:problem:unknown-parameter" | "urn:image-label-generator:problem:invalid-body" | "urn:image-label-generator:problem:invalid-body-type" | "urn:image-label-generator:problem:body-too-large" | "urn:image-label-generator:problem:unsupported-type" | "urn:image-label-generator:problem:too-large" | "urn:image-label-generator:problem:too-many-images" | "urn:image-label-generator:problem:not-signed-in" | "urn:image-label-generator:problem:no-such-image" | "urn:image-label-generator:problem:no-execution" | "urn:image-label-generator:problem:being-labeled" | "urn:image-label-generator:problem:nothing-uploaded" | "urn:image-label-generator:problem:no-such-route" | "urn:image-label-generator:problem:method-not-allowed" | "urn:image-label-generator:problem:unavailable" | "urn:image-label-generator:problem:internal";
        /** @description How far a deletion has come. */
        Progress: {
            /** @description Images that this request has deleted. */
            deletedImages: number;
            /** @description Whether nothing is left. Otherwise, ask again. */
            done: boolean;
        };
        /** @description Why an image was rejected or failed. */
        RecordedError: {
            /** @description A sentence for people. */
            message: string;
            /** @description Such as `UnsupportedFormat`. */
            name: string;
        };
        /** @description An execution that has been started. */
        Started: {
            /** @description Its ARN. */
            executionArn: string;
        };
        /**
         * @description Where an image is on its way.
         * @enum {string}
         */
        Status: "AWAITING_UPLOAD" | "PROCESSING" | "LABELED" | "REJECTED" | "FAILED" | "DELETED";
        /** @description A state that the execution entered. */
        Step: {
            /**
             * Format: int32
             * @description How often its function was called; 0 for a state without one.
             */
            attempts: number;
            /**
             * Format: int64
             * @description Milliseconds, with all attempts and the waits between them; null while it is under way.
             */
            durationMs: number | null;
            /** @description What the last attempt met, unless the state succeeded. */
            error?: components["schemas"]["StepError"];
            /** @description The state's name. */
            name: string;
            /**
             * Format: date-time
             * @description When it was entered.
             */
            startedAt: string;
            status: components["schemas"]["StepStatus"];
        };
        /** @description What a state met. */
        StepError: {
            /** @description A sentence for people; empty where none was given. */
            message: string;
            /** @description Such as `UnsupportedFormat`. */
            name: string;
        };
        /**
         * @description How a state went.
         * @enum {string}
         */
        StepStatus: "RUNNING" | "SUCCEEDED" | "CAUGHT_ERROR" | "FAILED" | "TIMED_OUT" | "ABORTED";
        /** @description A small picture of an image: a JPEG, upright, that tells nothing about where and how it was taken. */
        Thumbnail: {
            /**
             * Format: int32
             * @description Pixels.
             */
            height: number;
            /**
             * Format: uri
             * @description A presigned GET, valid for an hour.
             */
            url: string;
            /**
             * Format: int32
             * @description Pixels.
             */
            width: number;
        };
        /** @description Where to put the file: exactly the announced one, exactly once. An answer of 412 means that it is there already. */
        Upload: {
            /** @description What must be sent beside what every HTTP client sets by itself, as `content-length`. */
            headers: {
                [key: string]: string;
            };
            /** @description `PUT` */
            method: string;
            /** Format: uri */
            url: string;
        };
        /** @description Where the picture can be fetched. */
        View: {
            /**
             * Format: date-time
             * @description Until when: five minutes later.
             */
            expiresAt: string;
            /**
             * Format: uri
             * @description A presigned GET. It says inline, the file's own name and the picture's type.
             */
            url: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    deleteData: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far it has come */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Progress"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listImages: {
        parameters: {
            query?: {
                /** @description The `nextCursor` of the page before. All other parameters but `limit` must be as they were. */
                cursor?: string;
                /** @description Only images from then on: a date (its first moment in UTC) or an instant with its offset from UTC. */
                from?: string;
                /** @description Only these images, whatever their status; ids of no image of yours are left out. Goes with no other parameter. */
                id?: components["schemas"]["ImageId"][];
                /** @description Only images with this label, however it is capitalized; several mean all of them. */
                label?: components["schemas"]["LabelName"][];
                /** @description Images a page, at most. */
                limit?: number;
                /** @description Only images with labels that are at least so sure, in percent: all those that `label` names, or any. */
                minConfidence?: number;
                /** @description Only images that are there. Without it, all but those that still wait for their upload. */
                status?: "AWAITING_UPLOAD" | "PROCESSING" | "LABELED" | "REJECTED" | "FAILED";
                /** @description Only images before then, in the same form as `from`. */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ImageList"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As `POST /uploads` hands it out */
                imageId: components["schemas"]["ImageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Image"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `no-such-image`: no image of the caller has this id. An image that is deleted, or somebody else's, is told the
             *     same way. API Gateway: a path that no route can have, such as one with a line break.
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As `POST /uploads` hands it out */
                imageId: components["schemas"]["ImageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `no-such-image`: no image of the caller has this id. An image that is deleted, or somebody else's, is told the
             *     same way. API Gateway: a path that no route can have, such as one with a line break.
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getExecution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As `POST /uploads` hands it out */
                imageId: components["schemas"]["ImageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The execution */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `no-such-image`, as elsewhere. `no-execution`: no execution has begun for the image, or Step Functions has forgotten
             *     it, after 90 days. API Gateway: a path that no route can have, such as one with a line break.
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    relabelImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As `POST /uploads` hands it out */
                imageId: components["schemas"]["ImageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow has been started */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Started"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `no-such-image`: no image of the caller has this id. An image that is deleted, or somebody else's, is told the
             *     same way. API Gateway: a path that no route can have, such as one with a line break.
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `being-labeled`: an execution is at work on the image. `nothing-uploaded`: the upload is still awaited. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLabels: {
        parameters: {
            query?: {
                /** @description Only labels whose names begin so, however they are capitalized. */
                prefix?: components["schemas"]["LabelName"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The labels */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabelList"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    describe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An OpenAPI 3.1 document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Your own policy, or else the default */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilterPolicy"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    putSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilterPolicy"];
            };
        };
        responses: {
            /** @description The policy as stored */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilterPolicy"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `body-too-large`: more than 16 KiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid-body-type`: the body is not declared as `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The default counts */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description API Gateway: too many requests at once. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUpload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUpload"];
            };
        };
        responses: {
            /** @description Where to put the file */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Created"];
                };
            };
            /**
             * @description The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
             *     and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: no access token, or one that is expired, tampered with or another's. `not-signed-in`: an ID token, which says who somebody is and opens nothing. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description API Gateway: a path that no route can have, such as one with a line break. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                };
            };
            /** @description `too-large`: the file is. `body-too-large`: the request's body has more than 16 KiB. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-type`: neither JPEG nor PNG. `invalid-body-type`: the body is not declared as `application/json`. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-images`: the quota of the day is used up. It starts anew after as many seconds as the header `retry-after` says. API Gateway: too many requests at once. */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayMessage"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the API is at fault. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: try again after as many seconds as the header `retry-after` says. */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
